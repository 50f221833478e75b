from __future__ import annotations

import torch
from tests.inference.engine.runners.driving import Driver, Row

from vi.inference.engine.runners.features import Features


def test_a_slice_of_features_has_the_same_places_of_every_layer():
    features = Features(torch.arange(12.0).view(6, 2), torch.arange(24.0).view(2, 6, 2))
    part = features[2:5]
    assert (len(features), len(part)) == (6, 3)
    assert torch.equal(part.embeddings, features.embeddings[2:5])
    assert torch.equal(part.deepstack, features.deepstack[:, 2:5])


def test_bytes_are_those_of_all_numbers():
    assert Features(torch.zeros(6, 2)).nbytes == 48
    assert Features(torch.zeros(6, 2), torch.zeros(3, 6, 2)).nbytes == 4 * 48


def test_deepstack_features_reach_the_answer(pair):
    models = pair("qwen3_vl")
    runner = models.runner()
    prompt = models.prompt("How many?", (150, 70))
    features = runner.encode(prompt.media)
    with_them, without = (Row(prompt, 1, features=given) for given in (features, Features(features.embeddings)))
    Driver(runner).run([with_them, without])
    assert features.deepstack.shape == (2, prompt.image_tokens, 64)
    assert (with_them.logits[0] - without.logits[0]).abs().max() > 0.1


def test_pictures_come_before_clips(pair):
    models = pair("qwen3_vl")
    runner = models.runner()
    pictures = models.prompt("How many?", (150, 70)).media
    clips = dict(zip(("pixel_values_videos", "video_grid_thw"), pictures.values(), strict=True))
    both, alone = runner.encode(clips | pictures), runner.encode(pictures)
    assert len(both) == 2 * len(alone)
    for half in (both[: len(alone)], both[len(alone) :]):
        torch.testing.assert_close(half.embeddings, alone.embeddings)
        torch.testing.assert_close(half.deepstack, alone.deepstack)
