"""Batches are filled up to few lengths, and no row notices."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.bundle.rows import Row, batch_of

from vi.inference.engine.runners.padding import EXACT, STEP, padded

lengths = st.lists(st.integers(1, 60), min_size=1, max_size=6)


@given(lengths=lengths, past=st.integers(0, 100))
def test_a_padded_batch_is_the_batch_and_one_row_more(lengths, past):
    batch = batch_of([Row(slot, past, np.full(length, 9)) for slot, length in enumerate(lengths)], axes=3)
    total, filled = sum(lengths), padded(batch, 777)
    if total <= EXACT or total % STEP == 0:
        assert filled is batch
        return
    extra = len(filled.token_ids) - total
    assert 0 < extra < STEP
    assert len(filled.token_ids) % STEP == 0
    assert filled.positions.shape == (3, total + extra)
    assert (filled.begins[-1], filled.past_lens[-1], filled.block_indices[-1]) == (total + extra, 0, 777)
    assert filled.block_begins[-1] == len(filled.block_indices)
    for name in ("begins", "past_lens", "block_indices", "block_begins"):
        np.testing.assert_array_equal(getattr(filled, name)[:-1], getattr(batch, name))
        assert getattr(filled, name).dtype == np.int32
    np.testing.assert_array_equal(filled.token_ids[:total], batch.token_ids)
    assert filled.wanted is batch.wanted
