"""Rows of a batch, laid out as an engine does, for a runner under test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from vi.inference.engine.batch import Batch


@dataclass
class Row:
    """One request: ``past`` of its tokens are in the cache, ``new`` are read now; ``slot`` chooses its blocks."""

    slot: int
    past: int
    new: Sequence[int]
    positions: np.ndarray | None = None  # [A, new]
    features: list[tuple[int, Any]] = field(default_factory=list)


def batch_of(rows: Sequence[Row], *, axes: int, blocks_a_row: int = 16, block_size: int = 32) -> Batch:
    """The rows end to end; the last token's logits of each are wanted."""
    lengths = [len(row.new) for row in rows]
    begins = np.cumsum([0, *lengths]).astype(np.int32)
    used = [-(-(row.past + length) // block_size) for row, length in zip(rows, lengths, strict=True)]
    counted = [np.arange(row.past, row.past + length) for row, length in zip(rows, lengths, strict=True)]
    positions = [
        np.tile(count, (axes, 1)) if row.positions is None else row.positions
        for row, count in zip(rows, counted, strict=True)
    ]
    blocks = [row.slot * blocks_a_row + np.arange(count) for row, count in zip(rows, used, strict=True)]
    return Batch(
        token_ids=np.concatenate([np.asarray(row.new, np.int64) for row in rows]),
        positions=np.concatenate(positions, axis=1).astype(np.int64),
        begins=begins,
        past_lens=np.array([row.past for row in rows], np.int32),
        block_indices=np.concatenate(blocks).astype(np.int32),
        block_begins=np.cumsum([0, *used]).astype(np.int32),
        wanted=begins[1:].astype(np.int64) - 1,
        features=[(int(begins[i]) + place, part) for i, row in enumerate(rows) for place, part in row.features],
    )


def noise(size: tuple[int, int]) -> Image.Image:
    """A picture of (width, height), the same for the same size."""
    pixels = np.random.default_rng(size).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)
