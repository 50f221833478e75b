"""Clips in training: seen as the stock tower sees them, at the stock model's positions, the same at every drawing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from training.workbench import tokens
from training.workbench.clip_batches import FPS, ClipBatches, ClipPacker, random_shots
from training.workbench.clip_questions import CLIP_MIX
from training.workbench.clip_targets import MOTIONS
from training.workbench.clips import frames, random_aspect, random_clip
from training.workbench.export import PROCESSOR
from training.workbench.grids import CELL, CLIP_PIXELS, grid_for
from training.workbench.network import Network
from training.workbench.scenes import random_size

from vi.inference.media.clip import Clip
from vi.inference.preprocess.clip_families import CLIP_FAMILIES
from vi.inference.preprocess.clips import ClipEncoder

SETTINGS = {**PROCESSOR, "size": {"shortest_edge": CLIP_PIXELS, "longest_edge": CLIP_PIXELS}}


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    tokens.build(folder, scenes=300)
    return str(folder / "tokenizer.json")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Network().eval()


def test_frames_are_looked_at_when_the_package_does():
    rng = np.random.default_rng(0)
    for _ in range(50):
        shots = random_shots(rng)
        assert len(shots.times) >= 2 * len(shots.pairs) - 1
        assert shots.times[-1] < shots.duration <= shots.times[-1] + 1 / shots.fps + 1e-5


def test_grids_are_those_of_the_clip_encoder():
    encoder = ClipEncoder(SETTINGS, CLIP_FAMILIES["qwen2_5_vl"])
    rng = np.random.default_rng(0)
    for _ in range(40):
        width, height = random_size(rng, random_aspect(rng), longest=640)
        seen = encoder.fit(8, width, height)
        assert (seen[1] // CELL, seen[0] // CELL) == grid_for(width, height, CLIP_PIXELS)


@pytest.mark.parametrize("step", [0, 3])
def test_sight_of_a_clip_equals_the_stock_tower(network, tokenizer_file, step):
    batch = ClipBatches(1, 2, tokenizer_file, 10)[step]
    with torch.no_grad():
        patches, cells = network.see(batch.pictures)
        encoder = ClipEncoder({**SETTINGS, "do_resize": False}, CLIP_FAMILIES["qwen2_5_vl"])
        for row in range(2):
            clip = Clip.of([frame.numpy() for frame in batch.pictures[row]], np.arange(batch.pictures.shape[1]) / FPS)
            arrays = {name: torch.from_numpy(array) for name, array in encoder.encode(clip).arrays.items()}
            stock = network.model.model.get_video_features(arrays["pixel_values_videos"], arrays["video_grid_thw"])
            torch.testing.assert_close(cells[row], stock.pooler_output[0], atol=1e-4, rtol=1e-4)
            torch.testing.assert_close(patches[row], stock.last_hidden_state, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("step", range(6))
def test_positions_are_those_of_the_stock_model_up_to_the_answer(network, tokenizer_file, step):
    batch = ClipBatches(1, 1, tokenizer_file, 10)[step]
    pack, video = batch.pack, network.model.config.video_token_id
    prefix = pack.segments[0] == 0
    ids = pack.ids[:, prefix]
    rows, columns = (side // CELL for side in batch.pictures.shape[2:4])
    grid = torch.tensor([[batch.pictures.shape[1] // 2, rows * 2, columns * 2]])
    shots = random_shots(np.random.default_rng((1, 78, step)))
    theirs, _ = network.model.model.get_rope_index(
        ids, mm_token_type_ids=(ids == video).int() * 2, video_grid_thw=grid,
        second_per_grid_ts=torch.tensor([shots.seconds_per_grid]),
    )  # fmt: skip
    ours, end = pack.positions[:, :, prefix], int((ids[0] == video).nonzero().max()) + 1
    assert torch.equal(ours[:, :, :end], theirs[:, :, :end])
    assert int(ours[:, :, end:].min()) == int(ours[:, :, :end].max()) + 1  # the papers', see ``clip_positions``


def test_reading_clips_gives_losses_that_can_be_learnt_from(network, tokenizer_file):
    batch = ClipBatches(1, 2, tokenizer_file, 10)[1]
    patches, cells = network.see(batch.pictures)
    dense, _ = network.dense_loss(batch, patches, cells)
    losses = network.read(batch, cells)
    assert torch.isfinite(dense)
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert losses["mismoved"] > 0
    assert losses["strayed"] > 0


def test_a_batch_of_clips_is_a_function_of_series_and_step(tokenizer_file):
    first, second = (ClipBatches(4, 2, tokenizer_file, 9)[7] for _ in range(2))
    assert torch.equal(first.pictures, second.pictures)
    assert torch.equal(first.pack.ids, second.pack.ids)
    assert torch.equal(first.cell_motion, second.cell_motion)


def test_targets_and_looks_are_within_their_bounds(tokenizer_file):
    batches = ClipBatches(5, 2, tokenizer_file, 40)
    for step in range(25):
        batch = batches[step]
        cells = batch.cell_class.shape[1]
        assert batch.pictures.shape[1] % 2 == 0
        assert cells <= 8 * 36
        assert batch.pack.looks.shape[2] == cells == batch.cell_motion.shape[1]
        assert (batch.cell_motion.amax((0, 1)) < torch.tensor(MOTIONS)).all()
        assert (batch.patch_class[..., :6].amin() >= -1).all()
        assert (batch.pack.looks.any(-1) & (batch.pack.labels != -100)).any()


def test_a_pack_asks_of_every_type(tokenizer_file):
    packer, rng = ClipPacker(tokenizer_file), np.random.default_rng(0)
    shots = random_shots(rng)
    clips = [random_clip(3, i, aspect=1.0, duration=shots.duration) for i in range(8)]
    pack = packer.pack_clips(rng, clips, shots, (5, 5), 512)
    asked = [packer.tokenizer.decode(row.tolist()) for row in pack.ids]
    assert len(CLIP_MIX) == 4
    assert all("?" in text or "." in text for text in asked)
    assert (pack.segments.max(1).values >= 3).all()
    assert len(frames(clips[0], shots.times, 40, 40)) == len(shots.times)
