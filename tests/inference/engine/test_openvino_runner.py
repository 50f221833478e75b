"""The embedded run's bundle: the contract of a paged runner, with neither torch nor transformers."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from tests.inference.bundle.rows import Row, batch_of

from vi import workbench
from vi.inference.bundle.layout import read_bundle
from vi.inference.engine.runners import openvino_runner
from vi.inference.engine.runners.openvino_runner import OpenVinoRunner
from vi.inference.errors import InferenceError, LoadError

MODEL = workbench.run_path() / "model"
PROMPTS = [np.random.default_rng(length).integers(7, 1024, length) for length in (40, 3, 64, 100, 33)]


@pytest.fixture(scope="module")
def bundle():
    return read_bundle(MODEL, verify=True)


@pytest.fixture(scope="module")
def runner(bundle):
    runner = OpenVinoRunner(bundle, cache_bytes=1 << 26, threads=1)
    yield runner
    runner.close()


def run(runner, rows):
    return runner.run(batch_of(rows, axes=3)).copy()


def test_the_cache_takes_the_memory_it_was_given(bundle, runner):
    assert runner.block_size == 32
    assert runner.block_bytes == 6 * 2 * 2 * 32 * 64 * 4  # layers, keys and values, heads, tokens, numbers, bytes
    assert runner.num_blocks == (1 << 26) // runner.block_bytes
    with pytest.raises(LoadError, match=r"no room for a block of 196,608 bytes.*Raise cache_bytes"):
        OpenVinoRunner(bundle, cache_bytes=1000, threads=1)


def test_rows_join_and_leave_without_being_noticed(runner):
    expected = [[run(runner, [Row(slot, 0, prompt)])] for slot, prompt in enumerate(PROMPTS)]
    for slot, prompt in enumerate(PROMPTS):
        for step in range(4):
            expected[slot].append(run(runner, [Row(slot, len(prompt) + step, [100 + step])]))
    read = [0] * len(PROMPTS)  # tokens of each row in the cache
    for moment in range(9):
        present = [slot for slot in range(len(PROMPTS)) if slot <= moment < slot + 5]
        rows = []
        for slot in present:
            steps = moment - slot
            new = PROMPTS[slot] if steps == 0 else [100 + steps - 1]
            rows.append(Row(slot, read[slot], new))
            read[slot] += len(new)
        for slot, logits in zip(present, run(runner, rows), strict=True):
            alone = expected[slot][moment - slot][0]
            np.testing.assert_allclose(logits, alone, atol=1e-4)
            assert logits.argmax() == alone.argmax()


def test_blocks_may_lie_anywhere(runner):
    prompt = PROMPTS[3]
    batch = batch_of([Row(0, 0, prompt)], axes=3)
    elsewhere = np.array([200, 7, 111, 50], np.int32)
    scattered = batch.__class__(**{**vars(batch), "block_indices": elsewhere})
    np.testing.assert_array_equal(runner.run(scattered).copy(), run(runner, [Row(0, 0, prompt)]))


def test_a_picture_of_any_size_has_a_feature_for_every_square(runner):
    sizes = [(2, 2), (14, 14), (6, 20)]
    rng = np.random.default_rng(0)
    pixels = [rng.normal(size=(rows * columns, 1536)).astype(np.float32) for rows, columns in sizes]
    grids = np.array([(1, *size) for size in sizes])
    together = runner.encode({"pixel_values": np.concatenate(pixels), "image_grid_thw": grids})
    alone = [
        runner.encode({"pixel_values": one, "image_grid_thw": grids[index : index + 1]})
        for index, one in enumerate(pixels)
    ]
    assert together.shape == (1 + 49 + 30, 256)
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5)
    assert len(together[3:10]) == 7
    assert together.nbytes == 80 * 256 * 4
    assert len(runner.encode({})) == 0


def test_features_stand_in_for_the_placeholders(runner, bundle):
    prompt = PROMPTS[0]
    table = bundle.table()
    hidden = table[prompt[10:20]].astype(np.float32)  # features that are words: the same as if they were read
    places = np.where((np.arange(40) >= 10) & (np.arange(40) < 20), bundle.facts.placeholder_id, prompt)
    got = run(runner, [Row(0, 0, PROMPTS[1]), Row(1, 0, places, features=[(10, hidden)])])[1]
    np.testing.assert_allclose(got, run(runner, [Row(1, 0, prompt)])[0], atol=1e-4)


def test_logits_are_the_runners_own_memory(runner):
    logits = runner.run(batch_of([Row(0, 0, PROMPTS[0])], axes=3))
    assert logits.base is not None
    assert not logits.flags.owndata


def test_fast_is_near_to_exact(bundle, runner):
    fast = OpenVinoRunner(bundle, precision="fast", cache_bytes=1 << 26, threads=1)
    exact, near = run(runner, [Row(0, 0, PROMPTS[2])]), run(fast, [Row(0, 0, PROMPTS[2])])
    if fast.precision == "exact":
        assert fast.block_bytes == runner.block_bytes
        np.testing.assert_array_equal(near, exact)
    else:
        assert fast.block_bytes == runner.block_bytes // 2
        assert 0 < abs(near - exact).max() < 1
    fast.close()


def test_what_cannot_be_run_fails_with_its_size_and_the_next_one_runs(runner):
    expected = run(runner, [Row(0, 0, PROMPTS[0])])
    batch = batch_of([Row(0, 0, PROMPTS[0])], axes=3)
    with pytest.raises(InferenceError, match=r"1 requests with 40 new tokens cannot be run.*a shorter prompt"):
        runner.run(batch.__class__(**{**vars(batch), "positions": np.zeros((2, 40), np.int64)}))
    with pytest.raises(InferenceError, match=r"Pictures of 1 x 4 x 99 numbers cannot be encoded"):
        runner.encode({"pixel_values": np.ones((4, 99)), "image_grid_thw": np.array([[1, 2, 2]])})
    np.testing.assert_array_equal(run(runner, [Row(0, 0, PROMPTS[0])]), expected)
    assert len(runner.encode({"pixel_values": np.ones((4, 1536)), "image_grid_thw": np.array([[1, 2, 2]])})) == 1


def test_closing_twice_does_nothing(bundle):
    runner = OpenVinoRunner(bundle, cache_bytes=1 << 20, threads=1)
    runner.close()
    runner.close()


def test_neither_torch_nor_transformers_is_imported():
    program = f"""
import sys
for name in ("torch", "transformers", "accelerate", "peft"):
    sys.modules[name] = None  # importing it fails from now on
from pathlib import Path
import numpy as np
from vi.inference.bundle.cache import bundle_for
from vi.inference.engine.batch import Batch
from vi.inference.engine.runners import openvino_runner
from vi.inference.engine.runners.openvino_runner import OpenVinoRunner
from vi.inference.runs.files import RunFiles
runner = OpenVinoRunner(bundle_for(RunFiles(None, Path({str(MODEL)!r}))), cache_bytes=1 << 22, threads=1)
features = runner.encode({{"pixel_values": np.ones((4, 1536), np.float32), "image_grid_thw": np.array([[1, 2, 2]])}})
one = np.zeros(1, np.int32)
batch = Batch(np.array([5]), np.zeros((3, 1), np.int64), np.array([0, 1], np.int32), one, one,
              np.array([0, 1], np.int32), np.array([0]), [(0, features)])
print(runner.run(batch).shape)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stdout == "(1, 1024)\n", ran.stderr


def test_what_is_done_meanwhile_is_done_once_and_changes_no_logit(runner):
    batch, done = batch_of([Row(0, 0, PROMPTS[0])], axes=3), []
    expected = runner.run(batch).copy()
    np.testing.assert_array_equal(runner.run(batch, lambda: done.append(1)), expected)
    assert done == [1]


@pytest.mark.parametrize(
    ("cores", "layers", "threads"), [(1, 6, 1), (2, 6, 1), (8, 6, 4), (2, 80, 2), (8, 80, 8)], ids=str
)
def test_a_small_model_takes_half_of_the_cores(bundle, monkeypatch, cores, layers, threads):
    facts = bundle.facts.model_copy(update={"num_layers": layers})
    monkeypatch.setattr(openvino_runner, "num_cores", lambda: cores)
    assert openvino_runner._threads(facts) == threads


def test_pictures_are_encoded_beside_where_there_are_cores_for_both(bundle, monkeypatch):
    for cores, beside in ((1, False), (2, True)):
        monkeypatch.setattr(openvino_runner, "num_cores", lambda cores=cores: cores)
        one = OpenVinoRunner(bundle, cache_bytes=1 << 22)
        assert one.encodes_beside == beside
        one.close()
