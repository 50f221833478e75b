"""How many candidates each filter left for a token, and how likely the draw was to take it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace, device

from vi.inference.sampling.filters import Array, softmax


class Left(NamedTuple):
    """What the filters left of the rows that draw: values [S, C] after top-k and after top-p (what the draw is made
    from), removed ones at -inf, and their token ids [S, C], padding at -inf with id 0.
    """

    top_k: Array
    top_p: Array
    ids: Array

    def counts(self) -> list[tuple[int, int]]:
        """How many candidates are left after top-k and after top-p, a pair a row."""
        return list(zip(_finite(self.top_k), _finite(self.top_p), strict=True))

    def probabilities(self, token_ids: Sequence[Sequence[int]]) -> list[list[float]]:
        """How likely the draw was to take each of some tokens of each row; 0 for one that a filter removed.

        token_ids: as many for every row.
        """
        xp = array_namespace(self.top_p)
        share = softmax(self.top_p)  # [S, C]
        wanted = xp.asarray(token_ids, dtype=xp.int64, device=device(share))  # [S, N]
        width = share.shape[-1]
        if max(map(max, token_ids)) < width and bool(xp.all(self.ids[:, -1] == width - 1)):  # ids are 0 to C - 1
            return xp.take_along_axis(share, wanted, axis=-1).tolist()
        own = self.ids[:, None, :] == wanted[:, :, None]  # [S, N, C], C a few times k
        return xp.sum(xp.where(own, share[:, None, :], xp.zeros_like(share[:, None, :])), axis=-1).tolist()

    def rows(self, places: Sequence[int]) -> Left:
        xp = array_namespace(self.top_p)
        index = xp.asarray(places, dtype=xp.int64, device=device(self.top_p))
        return Left(*(xp.take(values, index, axis=0) for values in self))


def choosable(
    logits: Array, allowed: Sequence[np.ndarray | None], banned: Array | None = None
) -> list[tuple[int, int]]:
    """How many tokens may ever be chosen, and how many of those the grammar takes: a pair a row.

    logits: [R, V]; one at -inf is never chosen. allowed: bool [V] each, None is all. banned: bool [V].
    """
    xp = array_namespace(logits)
    possible = xp.isfinite(logits)
    if banned is not None:
        possible = possible & ~banned
    vocabulary = _count(possible)
    if all(row is None for row in allowed):
        return list(zip(vocabulary, vocabulary, strict=True))
    everything = np.ones(logits.shape[-1], dtype=bool)
    grammar = np.stack([everything if row is None else row for row in allowed])
    left = _count(possible & xp.asarray(grammar, dtype=xp.bool, device=device(logits)))
    return list(zip(vocabulary, left, strict=True))


def _finite(values: Array) -> list[int]:
    return _count(array_namespace(values).isfinite(values))


def _count(flags: Any) -> list[int]:
    xp = array_namespace(flags)
    return xp.sum(xp.astype(flags, xp.int64), axis=-1).tolist()
