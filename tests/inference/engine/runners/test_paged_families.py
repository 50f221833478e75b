"""Every family that runs over a paged cache writes what transformers' ``generate`` writes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.engine.runners.driving import Driver, Row, generate
from tests.inference.engine.samples import picture

from vi.inference.bundle.convert import convert
from vi.inference.bundle.families import FAMILIES as CONVERTIBLE
from vi.inference.engine.runners.openvino_runner import OpenVinoRunner
from vi.inference.preprocess.families import FAMILIES
from vi.inference.preprocess.prompt import Prompt
from vi.inference.runs.files import RunFiles

MAIN = ("qwen2_5_vl", "smolvlm")
PAGED = [
    pytest.param(name, marks=() if name in MAIN else pytest.mark.slow)
    for name, family in FAMILIES.items()
    if family.paged
]
CONVERTED = [pytest.param(name, marks=() if name == "qwen2_5_vl" else pytest.mark.slow) for name in CONVERTIBLE]
LONG = "Describe what is on the workbench, how many of each there are, and which of them are red. " * 2


def mixed(pair):
    """Eight requests that join and leave at different steps, with and without pictures, in chunks of their own."""
    return [
        Row(pair.prompt("How many?", (150, 70)), 14),
        Row(pair.prompt("What is this?"), 5, chunk=7),
        Row(pair.prompt(LONG, (64, 64)), 9, chunk=16, join=1),
        Row(pair.prompt("Where?", (40, 200)), 12, chunk=1, join=1),
        Row(pair.prompt(LONG), 3, chunk=33, join=2),
        Row(pair.prompt("Which colours are there?", (96, 33)), 16, chunk=13, join=4),
        Row(pair.prompt("A nut?", (60, 30)), 1, join=6),
        Row(pair.prompt("Count the bolts.", (220, 180)), 10, chunk=24, join=9),
    ]


@pytest.mark.parametrize("family", PAGED)
def test_a_request_alone_is_answered_as_generate_answers_it(pair, family):
    models = pair(family)
    for size in ((150, 70), (33, 64), None):
        prompt = models.prompt("How many?", size)
        assert Driver(models.runner()).run([Row(prompt, 14)]) == [generate(models.oracle, prompt, 14)]


@pytest.mark.parametrize("family", PAGED)
def test_eight_requests_that_come_and_go_are_answered_as_if_each_were_alone(pair, family):
    models = pair(family)
    rows = mixed(models)
    driver = Driver(models.runner())
    assert driver.run(rows) == [generate(models.oracle, row.prompt, row.num_tokens) for row in rows]
    assert len(driver.free) == driver.runner.num_blocks


@pytest.mark.parametrize("family", CONVERTED)
def test_a_bundle_answers_eight_requests_that_come_and_go_as_if_each_were_alone(pair, family, tmp_path):
    models = pair(family)
    bundle = convert(RunFiles(None, models.folder), tmp_path / "bundle")
    runner = OpenVinoRunner(bundle, cache_bytes=1 << 26, threads=1)
    rows = mixed(models)
    expected = [generate(models.oracle, row.prompt, row.num_tokens) for row in rows]
    assert Driver(runner).run(rows) == expected
    assert Driver(runner).run([Row(rows[0].prompt, rows[0].num_tokens)]) == expected[:1]
    runner.close()


@pytest.mark.parametrize("family", PAGED)
def test_a_prompt_read_in_chunks_gives_the_logits_of_the_prompt_read_at_once(pair, family):
    models = pair(family)
    prompt = models.prompt(LONG, (150, 70))
    driver = Driver(models.runner())
    rows = [Row(prompt, 1, chunk=chunk) for chunk in (1000, 64, 17, 1)]
    for row in rows:
        driver.run([row])
    for row in rows[1:]:
        torch.testing.assert_close(row.logits[0], rows[0].logits[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", PAGED)
def test_a_picture_has_a_feature_for_each_of_its_places(pair, family):
    models = pair(family)
    runner = models.runner()
    for size in ((1, 1), (28, 28), (640, 480), (33, 200)):
        prompt = models.prompt("Count.", size)
        if family == "mistral3" and prompt.image_tokens == 1:  # transformers 5.23 itself fails at one place
            continue
        assert prompt.image_tokens == sum(token == prompt.placeholder_id for token in prompt.token_ids)
        assert len(runner.encode(prompt.media)) == prompt.image_tokens


@pytest.mark.parametrize(
    "family", [family for family in PAGED if "llava_onevision" not in family.values]
)  # it cuts one
def test_pictures_encoded_in_one_call_have_the_features_they_have_apart(pair, family):
    models = pair(family)
    runner, row = models.runner(), FAMILIES[family]
    pictures = [picture(size) for size in ((150, 70), (40, 200), (96, 96))]
    encoded = [models.loaded.pictures.encode(group).arrays for group in (pictures, *([one] for one in pictures))]
    together, *apart = (
        runner.encode({name: array for name, array in arrays.items() if name not in row.layout}) for arrays in encoded
    )
    texts = row.placeholders(encoded[0], models.loaded.config, "~")
    assert [text.count("~") for text in texts] == [len(one) for one in apart]
    joined = torch.cat([one.embeddings for one in apart])
    torch.testing.assert_close(together.embeddings, joined, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_experts_are_chosen_for_each_token_alone(pair):
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    models = pair("internvl", model_type="qwen3_moe", **experts)
    rows = mixed(models)
    assert Driver(models.runner()).run(rows) == [generate(models.oracle, row.prompt, row.num_tokens) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("family", MAIN)
def test_a_request_does_not_notice_its_company(pair, family):
    models = pair(family)
    sizes = st.none() | st.sampled_from([(150, 70), (33, 64), (96, 96)])
    requests = st.tuples(sizes, st.integers(1, 8), st.integers(1, 60), st.integers(0, 9))
    alone = {}

    @settings(max_examples=60, deadline=None)
    @given(mix=st.lists(requests, min_size=1, max_size=8))
    def check(mix):
        rows = [Row(models.prompt("How many?", size), num, chunk, join) for size, num, chunk, join in mix]
        for row, (size, *_) in zip(rows, mix, strict=True):
            if size not in alone:
                alone[size] = Driver(models.runner()).run([Row(row.prompt, 8)])[0]
        together = Driver(models.runner()).run(rows)
        assert together == [alone[size][:num] for size, num, *_ in mix]

    check()


@pytest.mark.slow
@pytest.mark.parametrize("window", [2, 5, 16])
def test_a_sliding_window_is_as_wide_as_in_transformers(pair, window):
    models = pair("mistral3", sliding_window=window)
    rows = mixed(models)
    assert Driver(models.runner()).run(rows) == [generate(models.oracle, row.prompt, row.num_tokens) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen2_vl", "qwen2_5_vl", "qwen3_vl"])
def test_a_clip_is_answered_as_generate_answers_it(pair, family):
    models = pair(family)
    config = models.oracle.config
    frames = models.prompt("How many?", (112, 84)).media
    grid = frames["image_grid_thw"]
    media = {
        "pixel_values_videos": np.concatenate([frames["pixel_values"], frames["pixel_values"][::-1]]),
        "video_grid_thw": np.concatenate([grid[:, :1] * 2, grid[:, 1:]], axis=1),
    }
    places = int(grid[0, 1:].prod()) // 4
    frame = [config.vision_start_token_id, *[config.video_token_id] * places, config.vision_end_token_id]
    if family == "qwen3_vl":  # each frame stands alone behind its time
        ids = [40, 41, *frame, 50, 51, *frame, 42, 43]
    else:
        ids = [40, 41, *frame[:1], *frame[1:-1] * 2, *frame[-1:], 42, 43]
    types = torch.tensor([ids]).eq(config.video_token_id).int() * 2
    grids = torch.as_tensor(media["video_grid_thw"])
    positions, _ = models.oracle.model.get_rope_index(
        torch.tensor([ids]), mm_token_type_ids=types, video_grid_thw=grids
    )
    prompt = Prompt(ids, media, positions=positions[:, 0].numpy(), placeholder_id=config.video_token_id)
    expected = generate(models.oracle, prompt, 12, mm_token_type_ids=types)
    assert Driver(models.runner()).run([Row(prompt, 12, chunk=9)]) == [expected]
