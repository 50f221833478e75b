"""Batches are filled up to few lengths, and no row notices."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.bundle.rows import Row, batch_of

from vi.inference.engine.runners.padding import EXACT, MOST, STEP, WORTH, SteadyLength, padded

lengths = st.lists(st.integers(1, 60), min_size=1, max_size=6)
widths = st.sampled_from((64, 256, 768, 2048))
steps = st.lists(st.one_of(st.integers(1, 48), st.integers(1, 600)), max_size=40)


@given(lengths=lengths, past=st.integers(0, 100), extra=st.integers(1, 31))
def test_a_padded_batch_is_the_batch_and_one_row_more(lengths, past, extra):
    batch = batch_of([Row(slot, past, np.full(length, 9)) for slot, length in enumerate(lengths)], axes=3)
    total = sum(lengths)
    assert padded(batch, total, 777) is batch
    filled = padded(batch, total + extra, 777)
    assert filled.positions.shape == (3, total + extra)
    assert (filled.begins[-1], filled.past_lens[-1], filled.block_indices[-1]) == (total + extra, 0, 777)
    assert filled.block_begins[-1] == len(filled.block_indices)
    for name in ("begins", "past_lens", "block_indices", "block_begins"):
        np.testing.assert_array_equal(getattr(filled, name)[:-1], getattr(batch, name))
        assert getattr(filled, name).dtype == np.int32
    np.testing.assert_array_equal(filled.token_ids[:total], batch.token_ids)
    assert filled.wanted is batch.wanted


@given(widths, steps)
def test_filling_fits_into_a_block_and_lengths_above_the_exact_ones_are_few(width, steps):
    steady = SteadyLength(width)
    for length in steps:
        filled = steady.fit(length)
        assert length <= filled < length + 32
        assert filled <= EXACT or filled % STEP == 0


@given(widths, steps)
def test_filling_that_another_length_would_save_never_costs_more_than_a_change(width, steps):
    steady, price, saved, last = SteadyLength(width), min(MOST, WORTH // width**2), 0, 0
    for length in steps:
        filled = steady.fit(length)
        fitting = SteadyLength(width).fit(length)
        saved = saved + filled - fitting if filled == last and filled > fitting else 0
        assert saved <= price
        last = filled


def test_a_length_that_goes_up_and_down_a_little_stays():
    steady = SteadyLength(256)
    assert {steady.fit(length) for length in (33, 40, 48, 36, 47, 34)} == {48}
    assert [steady.fit(length) for length in (32, 30, 29, 31)] == [48, 32, 32, 32]


def test_a_large_model_decodes_exactly_as_many_rows_as_there_are():
    steady = SteadyLength(2048)
    assert [steady.fit(length) for length in (32, 31, 30, 7, 32)] == [32, 31, 30, 7, 32]
