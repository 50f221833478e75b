"""Batches of few different lengths: OpenVINO prepares its operators anew whenever the length changes, and keeps kernels
for every length that it met."""

from __future__ import annotations

import numpy as np

from vi.inference.engine.batch import Batch

EXACT, STEP = 32, 16  # tokens: up to 32, as many as there are (decoding); above, a multiple of 16
MOST = 24  # rows of filling that are borne in all before the length changes
WORTH = 1_600_000  # a change costs as much as so many rows times the square of the model's width
SMALL_STEPS = (1, 2, 4, 8)


class SteadyLength:
    """The length that a batch is filled up to: that of the last one for as long as filling costs less than a change.

    On the embedded run a change takes 1 ms, a row of filling .05 ms, and a length that is met for the first time 3 ms
    and 1 MB. The rows that another length would save are counted, and once they come to the price of a change it is
    made ("rent or buy", Karlin et al. 1988, never dearer than twice the best). One thread asks.
    """

    def __init__(self, hidden_size: int) -> None:
        self._most = min(MOST, WORTH // hidden_size**2)
        self._last, self._wasted = 0, 0

    def fit(self, length: int) -> int:
        """At least ``length``, and less than 32 more: the filling is one row that has one block."""
        fitting = self._rounded(length)
        if length <= self._last:
            self._wasted = self._wasted + self._last - fitting if self._last > fitting else 0
            if self._wasted <= self._most:
                return self._last
        self._last, self._wasted = fitting, 0
        return fitting

    def _rounded(self, length: int) -> int:
        if length > EXACT:
            return length + -length % STEP
        if self._most < MOST:  # of a large model every row counts
            return length
        return next((step for step in SMALL_STEPS if step >= length), length + -length % SMALL_STEPS[-1])


def padded(batch: Batch, length: int, block: int) -> Batch:
    """``batch`` with ``length`` tokens, where it has fewer by one row more, which writes into ``block`` and is not
    wanted."""
    tokens = len(batch.token_ids)
    extra = length - tokens
    if not extra:
        return batch
    positions = np.zeros((len(batch.positions), length), np.int64)
    positions[:, :tokens] = batch.positions
    return Batch(
        token_ids=np.concatenate([batch.token_ids, np.zeros(extra, np.int64)]),
        positions=positions,
        begins=_longer(batch.begins, length),
        past_lens=_longer(batch.past_lens, 0),
        block_indices=_longer(batch.block_indices, block),
        block_begins=_longer(batch.block_begins, len(batch.block_indices) + 1),
        wanted=batch.wanted,
        features=batch.features,
    )


def _longer(numbers: np.ndarray, last: int) -> np.ndarray:
    longer = np.empty(len(numbers) + 1, np.int32)
    longer[:-1] = numbers
    longer[-1] = last
    return longer
