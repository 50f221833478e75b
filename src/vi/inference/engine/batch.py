"""One forward call over many requests: their new tokens laid end to end, and where their keys and values lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Batch:
    """A ragged batch of B rows with T new tokens in all; a row is one request's next tokens, one or a chunk of prompt.

    token_ids: int64 [T]. positions: int64 [A, T] (A as in ``Prompt``). begins: int32 [B + 1], row b's tokens are
    ``begins[b]:begins[b + 1]``. past_lens: int32 [B], tokens of the row that are already in the cache.
    block_indices: int32, the cache blocks of all rows end to end, each row's in the order of its tokens and enough
    for past and new ones; block_begins: int32 [B + 1], where each row's begin. wanted: int64 [R], places in T whose
    logits are needed.
    features: (place in T, features) pairs: from that place on the embeddings are these picture features instead.
    What features are is the runner's own business; ``features[i:j]`` is a part of them, ``len(features)`` the places.
    """

    token_ids: np.ndarray
    positions: np.ndarray
    begins: np.ndarray
    past_lens: np.ndarray
    block_indices: np.ndarray
    block_begins: np.ndarray
    wanted: np.ndarray
    features: Sequence[tuple[int, Any]] = ()
