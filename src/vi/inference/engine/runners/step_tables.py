"""Which slots of the cache a ragged batch writes and reads: a batch's block tables, sorted by what a row does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vi.inference.engine.batch import Batch


@dataclass(frozen=True)
class ChunkTable:
    """A row with several new tokens: ``first:last`` of T, after ``past`` cached ones. blocks: those that it reads."""

    first: int
    last: int
    past: int
    blocks: np.ndarray


@dataclass(frozen=True)
class StepTables:
    """One forward call's places in the cache; all arrays are int64.

    slots: [T], each new token's place in the cache laid flat. opened: the blocks whose first slot is written now.
    singles: [B], the place in T of every row with one new token; lengths: [B], its tokens with the new one; table:
    [B, blocks], padded with the row's own last block. chunks: the other rows.
    """

    slots: np.ndarray
    opened: np.ndarray
    singles: np.ndarray
    lengths: np.ndarray
    table: np.ndarray
    chunks: list[ChunkTable]


def step_tables(batch: Batch, block_size: int) -> StepTables:
    """Sort out a batch's tables for a cache of blocks of ``block_size`` tokens."""
    past, begins, tables = (array.astype(np.int64) for array in (batch.past_lens, batch.begins, batch.block_begins))
    blocks = batch.block_indices.astype(np.int64)
    new = np.diff(begins)
    place = np.arange(begins[-1]) - np.repeat(begins[:-1] - past, new)  # [T], in its own row's text
    block = blocks[np.repeat(tables[:-1], new) + place // block_size]
    single, several = np.flatnonzero(new == 1), np.flatnonzero(new > 1)
    used = -(-(past + new) // block_size)  # [rows], blocks
    column = np.arange(used[single].max(initial=0))
    return StepTables(
        slots=block * block_size + place % block_size,
        opened=block[place % block_size == 0],
        singles=begins[single],
        lengths=past[single] + 1,
        table=blocks[tables[single][:, None] + np.minimum(column, used[single][:, None] - 1)],
        chunks=[
            ChunkTable(first, last, cached, blocks[begin : begin + length])
            for first, last, cached, begin, length in zip(
                *(part[several].tolist() for part in (begins[:-1], begins[1:], past, tables[:-1], used)), strict=True
            )
        ],
    )
