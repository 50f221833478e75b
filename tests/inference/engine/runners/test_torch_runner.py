"""One forward call over many requests, against the same requests one at a time."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tests.inference.engine.runners.driving import Driver, Row, make_batch

from vi.inference.engine.runners.torch_runner import PagedTorchRunner, block_bytes
from vi.inference.errors import InferenceError


@pytest.fixture(scope="module")
def qwen(pair):
    return pair("qwen2_5_vl")


@pytest.fixture(scope="module")
def runner(qwen):
    return qwen.runner()


def caches(runner):
    return [*runner._keys, *runner._values]


def test_logits_are_those_of_the_wanted_places_in_their_order(qwen, runner):
    rows = [Row(qwen.prompt("How many?", size), 1) for size in ((64, 48), (200, 100))]
    driver = Driver(runner)
    driver.run(rows)
    expected = torch.stack([rows[1].logits[0], rows[0].logits[0]])
    again = [Row(row.prompt, 1, features=row.features) for row in rows]
    for row in again:
        row.blocks = [driver.free.pop() for _ in range(16)]
    batch = make_batch(again)
    logits = runner.run(type(batch)(**{**vars(batch), "wanted": batch.wanted[::-1].copy()}))
    assert logits.shape == (2, qwen.loaded.vocab_size)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)


def test_only_the_blocks_of_the_batch_are_written(qwen, runner):
    row = Row(qwen.prompt("How many?", (64, 48)), 2)
    row.blocks = [5, 99, 3, 40, 17, 61, 8, 30]
    for cache in caches(runner):
        cache.fill_(7.0)
    others = [block for block in range(runner.num_blocks) if block not in row.blocks]
    before = [cache[others].clone() for cache in caches(runner)]
    Driver(runner).step([row])
    assert all(torch.equal(cache[others], old) for cache, old in zip(caches(runner), before, strict=True))


def test_what_an_earlier_request_left_in_a_block_does_not_matter(qwen, runner):
    prompts = [qwen.prompt("How many?", (64, 48)), qwen.prompt("Which colours are there?")]
    for cache in caches(runner):
        cache.zero_()
    clean = Driver(runner).run([Row(prompt, 12, chunk=10) for prompt in prompts])
    for cache in caches(runner):
        cache.fill_(float("nan"))
    assert Driver(runner).run([Row(prompt, 12, chunk=10) for prompt in prompts]) == clean


def test_a_prefix_that_is_in_the_cache_is_read_from_it(qwen, runner):
    prompt = qwen.prompt("How many?", (120, 90))
    whole = Row(prompt, 1)
    driver = Driver(runner)
    driver.step([whole, Row(qwen.prompt("Something else entirely."), 1)])
    shared = Row(prompt, 1, num_cached=16, features=whole.features)
    fresh = Row(prompt, 2, features=whole.features)
    driver.step([fresh])
    shared.blocks = fresh.blocks[:2] + [driver.free.pop() for _ in range(8)]
    driver.step([shared])
    torch.testing.assert_close(shared.logits[0], whole.logits[0], atol=1e-5, rtol=0)


def test_several_pictures_are_encoded_in_one_call_in_order(qwen, runner):
    prompts = [qwen.prompt("?", size) for size in ((64, 48), (200, 100))]
    names = prompts[0].media
    both = runner.encode({name: np.concatenate([prompt.media[name] for prompt in prompts]) for name in names})
    apart = [runner.encode(prompt.media) for prompt in prompts]
    assert len(both) == sum(prompt.image_tokens for prompt in prompts)
    torch.testing.assert_close(both.embeddings, torch.cat([one.embeddings for one in apart]), atol=1e-5, rtol=1e-5)


def test_nothing_of_a_request_is_left_on_the_model(qwen):
    runner, model = qwen.runner(), qwen.loaded.weights.model
    mark = torch.tensor([[12345]])
    model.model.rope_deltas = mark
    before = {name for module in model.modules() for name in vars(module)}
    Driver(runner).run([Row(qwen.prompt("How many?", (64, 48)), 3)])
    assert model.model.rope_deltas is mark
    assert {name for module in model.modules() for name in vars(module)} == before


def test_block_bytes_are_the_bytes_of_the_cache(qwen, runner):
    total = sum(cache.nbytes for cache in caches(runner))
    assert total == runner.block_bytes * runner.num_blocks
    assert runner.block_bytes == block_bytes(qwen.loaded.weights.config, torch.float32, runner.block_size)


def test_a_cache_that_does_not_fit_says_how_large_it_would_be(qwen):
    with pytest.raises(InferenceError, match=r"cache of 1000000000000 blocks of 4,096 bytes.*Use fewer blocks"):
        qwen.runner(num_blocks=10**12)


def test_a_step_that_does_not_fit_says_what_was_read(qwen, runner, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("tried to allocate 5 GB")

    monkeypatch.setattr(runner._language, "forward", full)
    with pytest.raises(InferenceError, match=r"to read 19 tokens of 1 requests \(tried to allocate 5 GB\)"):
        Driver(runner).step([Row(qwen.prompt("How many?"), 1, chunk=19)])


def test_other_errors_are_not_taken_for_a_full_memory(qwen, runner):
    with pytest.raises(RuntimeError, match="size"):
        runner.encode({"pixel_values": np.zeros((4, 7), np.float32), "image_grid_thw": np.array([[1, 2, 2]])})


def test_closing_frees_the_cache_and_may_be_repeated(qwen):
    runner = qwen.runner()
    runner.close()
    runner.close()
    assert not caches(runner)


def test_half_precision_logits_come_in_single_precision(qwen):
    of = qwen.loaded.weights
    model = copy.deepcopy(of.model).to(torch.bfloat16)
    runner = PagedTorchRunner(model, of.config, of.device, torch.bfloat16, num_blocks=16, block_size=8)
    row = Row(qwen.prompt("How many?", (64, 48)), 3)
    Driver(runner).run([row])
    assert runner.block_bytes == 2048
    assert row.features.embeddings.dtype == torch.bfloat16
    assert all(logits.dtype == torch.float32 and logits.isfinite().all() for logits in row.logits)
