"""Where the tokens of a prompt with a clip stand on three axes (time, height, width)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def clip_positions(
    token_ids: Sequence[int], video_token_id: int, runs: Iterable[Sequence[int]], merge: int, interval: float = 1.0
) -> np.ndarray:
    """M-RoPE positions (Wang et al. 2024, Qwen2-VL, section 2.1; Bai et al. 2025, Qwen2.5-VL, section 2.1.3).

    A word has the same position on all axes. The places of a clip count from the position after the word before them,
    by temporal patch, row and column; temporal patch t stands at ``floor(t * interval)`` on the axis of time, where
    ``interval`` is 1 for Qwen2-VL, and for Qwen2.5-VL the model's tokens a second times the seconds of a temporal
    patch. The next word goes on after the largest of all three. In Qwen3-VL every temporal patch is a run of its own.

    That is how the papers count and the models were trained. transformers 5 puts the next word after the larger of rows
    and columns alone, which differs where a clip is longer in time than in space.

    runs: (time, height, width) in patches of each run of places; ``merge`` patches a side make one token.
    Returns int64 [3, S]. The token after the prompt is at ``positions.max() + 1`` on every axis.
    """
    ids = np.asarray(token_ids)
    positions = np.empty((3, len(ids)), dtype=np.int64)
    places = np.flatnonzero(ids == video_token_id)
    start, position = 0, 0  # first token not yet placed, and its position
    for frames, height, width in runs:
        shape = (frames, height // merge, width // merge)
        first = int(places[np.searchsorted(places, start)])
        end = first + int(np.prod(shape))
        positions[:, start:first] = np.arange(position, position + first - start)
        grid = np.indices(shape).reshape(3, -1)
        grid[0] = (grid[0].astype(np.float32) * np.float32(interval)).astype(np.int64)
        positions[:, first:end] = grid + position + first - start
        start, position = end, int(positions[:, first:end].max()) + 1
    positions[:, start:] = np.arange(position, position + len(ids) - start)
    return positions
