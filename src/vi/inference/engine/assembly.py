"""From scheduled chunks to the arrays of one forward call."""

from __future__ import annotations

from array import array
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
    begins, block_begins, past_lens = [0], [0], []
    wanted: list[int] = []
    blocks = array("i")
    reading = []  # (where it begins in the batch, chunk) of those within prompts
    for chunk in chunks:
        table, start, end = chunk.table, chunk.start, chunk.end
        shift = table.next_position - table.num_prompt
        begin = begins[-1]
        if end - start == 1:
            token_ids.append(table.token_ids[start])
            places.append(start + shift)
        else:
            token_ids += table.token_ids[start:end]
            places += range(start + shift, end + shift)
        if start < table.num_prompt:
            reading.append((begin, chunk))
        begins.append(begin + end - start)
        past_lens.append(start)
        blocks += table.blocks[: -(-end // table.block_size)]
        block_begins.append(len(blocks))
        for place in chunk.wanted:
            wanted.append(begin + place - start)
    axes = max([len(_prompt_positions(chunk)) for chunk in chunks])
    return Batch(
        token_ids=np.array(token_ids, dtype=np.int64),
        positions=_positions(reading, np.array(places, dtype=np.int64), axes),
        begins=np.array(begins, dtype=np.int32),
        past_lens=np.array(past_lens, dtype=np.int32),
        block_indices=np.frombuffer(blocks, dtype=np.intc).astype(np.int32, copy=False),
        block_begins=np.array(block_begins, dtype=np.int32),
        wanted=np.array(wanted, dtype=np.int64),
        features=[
            (begin + place, features[chunk.table][first:after])
            for begin, chunk in reading
            if chunk.table.pictured_after(chunk.start)
            for place, first, after in _pieces(chunk)
        ],
    )


def pictured(chunk: Chunk) -> bool:
    """Whether the chunk holds places of pictures, so that their features are needed."""
    return chunk.table.pictured_after(chunk.start) and any(True for _ in _pieces(chunk))


def _positions(reading: Sequence[tuple[int, Chunk]], places: np.ndarray, axes: int) -> np.ndarray:
    """int64 [A, T]: as the prompt has them, and counted on from there (``places``) behind it."""
    positions = np.empty((axes, len(places)), dtype=np.int64)
    positions[:] = places
    for begin, chunk in reading:
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
