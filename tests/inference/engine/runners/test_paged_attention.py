from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.models.gemma2.modeling_gemma2 import eager_attention_forward

from vi.inference.engine.batch import Batch
from vi.inference.engine.runners.paged_attention import Chunk, PagedStep, paged_attention
from vi.inference.engine.runners.step_tables import step_tables
from vi.inference.errors import InferenceError

BLOCKS, SIZE, HEADS, KEY_HEADS, WIDTH = 64, 4, 4, 2, 8
ROWS = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 12) | st.just(1)), min_size=1, max_size=5)


def ragged(rows, generator):
    """A batch of (past, new) rows over blocks in no order."""
    free = generator.permutation(BLOCKS)
    counts = [-(-(past + new) // SIZE) for past, new in rows]
    begins = np.cumsum([0, *(new for _, new in rows)])
    return Batch(
        token_ids=np.zeros(begins[-1], np.int64),
        positions=np.zeros((1, begins[-1]), np.int64),
        begins=begins.astype(np.int32),
        past_lens=np.array([past for past, _ in rows], np.int32),
        block_indices=free[: sum(counts)].astype(np.int32),
        block_begins=np.cumsum([0, *counts]).astype(np.int32),
        wanted=np.zeros(0, np.int64),
    )


def paged(batch, keys, values):
    tables = step_tables(batch, SIZE)
    names = ("slots", "opened", "singles", "lengths", "table")
    moved = {name: torch.from_numpy(getattr(tables, name)) for name in names}
    chunks = [Chunk(chunk.first, chunk.last, chunk.past, torch.from_numpy(chunk.blocks)) for chunk in tables.chunks]
    return PagedStep([keys], [values], **moved, chunks=chunks)


@settings(max_examples=80, deadline=None)
@given(rows=ROWS, window=st.none() | st.integers(1, 12), softcap=st.none() | st.just(5.0), seed=st.integers(0, 9))
def test_a_ragged_batch_over_blocks_is_attended_as_each_row_alone(rows, window, softcap, seed):
    generator, torch_generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    batch = ragged(rows, generator)
    cached = [torch.randn(BLOCKS, SIZE, KEY_HEADS, WIDTH, generator=torch_generator) for _ in range(2)]
    query, key, value = (
        torch.randn(1, heads, len(batch.token_ids), WIDTH, generator=torch_generator)
        for heads in (HEADS, KEY_HEADS, KEY_HEADS)
    )
    pasts = []
    for row, (past, _) in enumerate(rows):
        blocks = torch.from_numpy(batch.block_indices[batch.block_begins[row] : batch.block_begins[row + 1]]).long()
        pasts.append([cache[blocks].flatten(0, 1)[:past].transpose(0, 1)[None].clone() for cache in cached])
    module = SimpleNamespace(layer_idx=0, num_key_value_groups=HEADS // KEY_HEADS, training=False)
    out, _ = paged_attention(
        module,
        query,
        key,
        value,
        None,
        paged=paged(batch, *cached),
        scaling=0.3,
        sliding_window=window,
        softcap=softcap,
    )
    for row, (past, new) in enumerate(rows):
        at = slice(batch.begins[row], batch.begins[row + 1])
        keys, values = (torch.cat([old, part[:, :, at]], 2) for old, part in zip(pasts[row], (key, value), strict=True))
        distance = torch.arange(past, past + new)[:, None] - torch.arange(past + new)
        hidden = (distance < 0) | (distance >= (window or 99))
        mask = torch.zeros(hidden.shape).masked_fill(hidden, float("-inf"))[None, None]
        expected, _ = eager_attention_forward(module, query[:, :, at], keys, values, mask, scaling=0.3, softcap=softcap)
        torch.testing.assert_close(out[:, at], expected, atol=1e-5, rtol=1e-5)


@given(rows=ROWS, seed=st.integers(0, 99))
def test_every_new_token_has_the_slot_that_its_row_s_table_gives_it(rows, seed):
    batch = ragged(rows, np.random.default_rng(seed))
    tables = step_tables(batch, SIZE)
    expected = [
        batch.block_indices[batch.block_begins[row] + place // SIZE] * SIZE + place % SIZE
        for row, (past, new) in enumerate(rows)
        for place in range(past, past + new)
    ]
    assert tables.slots.tolist() == expected
    assert len(set(expected)) == len(expected)
    assert set(tables.opened) == {slot // SIZE for slot in expected if slot % SIZE == 0}


@given(rows=ROWS, seed=st.integers(0, 99))
def test_rows_of_one_new_token_and_of_several_are_told_apart(rows, seed):
    tables = step_tables(ragged(rows, np.random.default_rng(seed)), SIZE)
    begins = np.cumsum([0, *(new for _, new in rows)])
    assert tables.singles.tolist() == [begins[row] for row, (_, new) in enumerate(rows) if new == 1]
    assert tables.lengths.tolist() == [past + 1 for past, new in rows if new == 1]
    assert [(chunk.first, chunk.last, chunk.past) for chunk in tables.chunks] == [
        (begins[row], begins[row] + new, past) for row, (past, new) in enumerate(rows) if new > 1
    ]


def test_a_short_row_beside_a_long_one_looks_into_no_block_but_its_own():
    tables = step_tables(ragged([(2, 1), (30, 1)], np.random.default_rng(0)), SIZE)
    own, other = (set(row.tolist()) for row in tables.table)
    assert len(own) == 1
    assert not own & other


@pytest.mark.parametrize("window", [None, 3])
def test_masks_are_made_once_for_all_layers(window):
    batch = ragged([(6, 1), (4, 5)], np.random.default_rng(0))
    step = paged(batch, *torch.zeros(2, BLOCKS, SIZE, KEY_HEADS, WIDTH))
    assert step.single_mask(window) is step.single_mask(window)
    assert step.chunk_mask(0, window) is step.chunk_mask(0, window)


def test_attention_sinks_are_refused_rather_than_left_out():
    step = paged(ragged([(0, 2)], np.random.default_rng(0)), *torch.zeros(2, BLOCKS, SIZE, KEY_HEADS, WIDTH))
    query, key = torch.zeros(1, HEADS, 2, WIDTH), torch.zeros(1, KEY_HEADS, 2, WIDTH)
    with pytest.raises(InferenceError, match="attention has sinks"):
        paged_attention(None, query, key, key, None, paged=step, scaling=1.0, s_aux=torch.zeros(HEADS))
