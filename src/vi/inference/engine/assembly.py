"""From scheduled chunks to the arrays of one forward call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from vi.inference.engine.batch import Batch
from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.scheduler import Chunk


def assemble(chunks: Sequence[Chunk], features: dict[BlockTable, Any]) -> Batch:
    """The ragged batch of these chunks, one row each; logits as each chunk wants them, in order.

    features: of the pictures of those tables whose chunks hold some (see ``pictured``).
    """
    token_ids: list[int] = []
    places: list[int] = []  # positions, but for those within prompts
    begins, block_begins, wanted = [0], [0], []
    blocks = []
    for chunk in chunks:
        table, start, end = chunk.table, chunk.start, chunk.end
        token_ids += table.token_ids[start:end]
        shift = table.next_position - table.num_prompt
        places += range(start + shift, end + shift)
        begins.append(len(token_ids))
        count = -(-end // table.block_size)
        blocks.append(np.frombuffer(table.blocks, dtype=np.intc, count=count))
        block_begins.append(block_begins[-1] + count)
        wanted += [place - end + begins[-1] for place in chunk.wanted]
    return Batch(
        token_ids=np.array(token_ids, dtype=np.int64),
        positions=_positions(chunks, begins, np.array(places, dtype=np.int64)),
        begins=np.array(begins, dtype=np.int32),
        past_lens=np.array([chunk.start for chunk in chunks], dtype=np.int32),
        block_indices=np.concatenate(blocks).astype(np.int32, copy=False),
        block_begins=np.array(block_begins, dtype=np.int32),
        wanted=np.array(wanted, dtype=np.int64),
        features=[
            (begin + place, features[chunk.table][first:after])
            for chunk, begin in zip(chunks, begins, strict=False)
            if chunk.table.pictured_after(chunk.start)
            for place, first, after in _pieces(chunk)
        ],
    )


def pictured(chunk: Chunk) -> bool:
    """Whether the chunk holds places of pictures, so that their features are needed."""
    return chunk.table.pictured_after(chunk.start) and any(True for _ in _pieces(chunk))


def _positions(chunks: Sequence[Chunk], begins: Sequence[int], places: np.ndarray) -> np.ndarray:
    """int64 [A, T]: as the prompt has them, and counted on from there (``places``) behind it."""
    axes = max(len(_prompt_positions(chunk)) for chunk in chunks)
    positions = np.empty((axes, len(places)), dtype=np.int64)
    positions[:] = places
    for chunk, begin in zip(chunks, begins, strict=False):
        if chunk.start < chunk.table.num_prompt:
            end = min(chunk.end, chunk.table.num_prompt)
            positions[:, begin : begin + end - chunk.start] = _prompt_positions(chunk)[:, chunk.start : end]
    return positions


def _prompt_positions(chunk: Chunk) -> np.ndarray:
    assert chunk.table.prompt.positions is not None  # a paged engine is asked with positions only
    return chunk.table.prompt.positions


def _pieces(chunk: Chunk) -> Iterable[tuple[int, int, int]]:
    """(place in the chunk, first feature, feature after the last) of each run of picture places within it."""
    for start, stop, feature in chunk.table.runs:
        first, after = max(start, chunk.start), min(stop, chunk.end)
        if first < after:
            yield first - chunk.start, feature + first - start, feature + after - start
