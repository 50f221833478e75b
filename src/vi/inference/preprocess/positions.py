"""Where the tokens of a prompt stand: one axis for words, three (time, height, width) as Qwen2-VL counts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def plain_positions(num_tokens: int) -> np.ndarray:
    """int64 [1, S]: every token after the one before it."""
    return np.arange(num_tokens, dtype=np.int64)[None]


def mrope_positions(
    token_ids: Sequence[int], image_token_id: int, grids: Iterable[Sequence[int]], merge: int
) -> np.ndarray:
    """M-RoPE positions (Wang et al. 2024, Qwen2-VL, section 2.1) of a prompt with pictures.

    A word has the same position on all axes. A picture's places count from the position after the word before it, by
    frame, row and column, and the next word goes on after the largest of them.

    grids: (time, height, width) of each picture, in patches; ``merge`` patches a side make one token.
    Returns int64 [3, S]. The token after the prompt is at ``positions.max() + 1`` on every axis.
    """
    ids = np.asarray(token_ids)
    positions = np.empty((3, len(ids)), dtype=np.int64)
    places = np.flatnonzero(ids == image_token_id)
    start, position = 0, 0  # first token not yet placed, and its position
    for frames, height, width in grids:
        rows, columns = height // merge, width // merge
        picture = int(places[places >= start][0])
        end = picture + frames * rows * columns
        positions[:, start:picture] = np.arange(position, position + picture - start)
        position += picture - start
        positions[:, picture:end] = np.indices((frames, rows, columns)).reshape(3, -1) + position
        start, position = end, position + max(rows, columns)
    positions[:, start:] = np.arange(position, position + len(ids) - start)
    return positions
