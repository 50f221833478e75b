"""Training computes what the stock classes compute, and a packed question knows nothing of its neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from training.workbench import tokens
from training.workbench.attention import pack_mask
from training.workbench.batches import Batches
from training.workbench.export import PROCESSOR
from training.workbench.grids import grid_for
from training.workbench.network import Network
from training.workbench.scenes import random_scene, random_size
from training.workbench.targets import dense_targets
from transformers import Qwen2VLImageProcessorPil

OPTIONS = {k: v for k, v in PROCESSOR.items() if k not in ("image_processor_type", "processor_class")}


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    tokens.build(folder, scenes=300)
    return str(folder / "tokenizer.json")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Network().eval()


@pytest.fixture(scope="module")
def processor():
    return Qwen2VLImageProcessorPil(**OPTIONS)


def test_grids_are_those_of_the_image_processor(processor):
    rng = np.random.default_rng(0)
    for _ in range(40):
        width, height = random_size(rng, float(np.exp(rng.uniform(-1.0986, 1.0986))))
        seen = processor(images=[Image.new("RGB", (width, height))], return_tensors="pt")["image_grid_thw"][0]
        assert grid_for(width, height) == (seen[1] // 2, seen[2] // 2)


@pytest.mark.parametrize("step", [0, 3])
def test_sight_equals_the_stock_tower(network, processor, step):
    picture = Batches(1, 1, None, 10)[step].pictures
    inputs = processor(images=[Image.fromarray(picture[0].numpy())], return_tensors="pt", do_resize=False)
    with torch.no_grad():
        _, cells = network.see(picture)
        stock = network.model.model.get_image_features(inputs["pixel_values"], inputs["image_grid_thw"])
    torch.testing.assert_close(cells[0], stock.pooler_output[0], atol=1e-4, rtol=1e-4)


def test_reading_a_pack_equals_asking_each_question_alone(network, tokenizer_file):
    batch = Batches(1, 1, tokenizer_file, 10)[5]
    pack = batch.pack
    with torch.no_grad():
        _, cells = network.see(batch.pictures)
        packed = network.read(batch, cells)["told"]
        losses, weights = [], []
        for number in range(1, int(pack.segments.max()) + 1):
            keep = (pack.segments[0] == 0) | (pack.segments[0] == number)
            losses.append(_alone(network, pack, cells, keep))
            weights.append(pack.weights[0, keep].sum())
    together = sum(losses) / sum(weights)
    torch.testing.assert_close(packed, together, atol=1e-4, rtol=1e-4)


def _alone(network, pack, cells, keep):
    """Stock forward over one question behind the prefix: weighted nats of its answer."""
    ids, labels = pack.ids[:, keep], pack.labels[:, keep]
    embeds = network.model.model.language_model.embed_tokens(ids)
    embeds[:, pack.image_start : pack.image_start + cells.shape[1]] = cells
    hidden = network.model.model.language_model(inputs_embeds=embeds, position_ids=pack.positions[:, :, keep])
    logits = network.model.lm_head(hidden.last_hidden_state)
    return F.cross_entropy(logits[0, :-1], labels[0, 1:], reduction="none") @ pack.weights[0, keep][1:]


def test_every_answer_weighs_the_root_of_its_length(tokenizer_file):
    pack = Batches(1, 2, tokenizer_file, 10)[5].pack
    for row in range(2):
        for number in range(1, int(pack.segments[row].max()) + 1):
            told = (pack.segments[row] == number) & (pack.labels[row] != -100)
            torch.testing.assert_close(pack.weights[row][told].sum(), told.sum().sqrt())


def test_a_batch_is_a_function_of_series_and_step(tokenizer_file):
    first, second = (Batches(4, 2, tokenizer_file, 9)[7] for _ in range(2))
    assert torch.equal(first.pictures, second.pictures)
    assert torch.equal(first.pack.ids, second.pack.ids)


def test_the_mask_shows_the_prefix_and_ones_own_question_only():
    mask = pack_mask(torch.tensor([[0, 0, 1, 1, 2, -1]]))[0, 0]
    assert mask.int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 0, 1],
    ]


def test_dense_targets_name_the_part_at_its_centre():
    for index in range(30):
        scene = random_scene(2, index, aspect=1.0)
        (_, _), (classes, boxes) = dense_targets(scene, (7, 7))
        named = classes[:, 0] >= 0
        assert named.sum() <= len(scene.parts)
        assert bool(scene.parts) == bool(named.any())
        assert np.all(boxes[named, :2] < boxes[named, 2:])
