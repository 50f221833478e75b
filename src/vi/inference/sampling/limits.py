"""What the rows of a step may choose from, made before their logits are there and kept for the next step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from array_api_compat import array_namespace, device

from vi.inference.sampling.filters import Array


class Limits:
    """One array [B, V] of what grammars allow, of which a step rewrites the rows that have changed.

    banned: bool [V], tokens that are never chosen, in the library and on the device of the logits.
    """

    def __init__(self, banned: Array) -> None:
        xp = array_namespace(banned)
        self._banned = banned
        self._free = self._limit(xp.ones_like(banned))
        self._rows: Array = None  # [capacity, V]
        self._masks: list[np.ndarray | None] = []  # what each row was made of

    def of(self, masks: Sequence[np.ndarray | None]) -> Array | None:
        """float32 [B, V]: infinity where a token may be chosen, minus infinity elsewhere; valid until the next call.

        masks: a bool [V] a row, None is all; arrays that are not written into. None where no row has one.
        """
        if all(mask is None for mask in masks):
            return None
        self._grow(len(masks))
        for i, (mask, before) in enumerate(zip(masks, self._masks, strict=False)):
            if mask is not before:
                self._rows[i] = self._free if mask is None else self._limit(self._placed(mask))
                self._masks[i] = mask
        return self._rows[: len(masks)]

    def _grow(self, rows: int) -> None:
        if rows <= len(self._masks):
            return
        xp = array_namespace(self._banned)
        grown = xp.zeros((2 * rows, self._free.shape[0]), dtype=xp.float32, device=device(self._banned))
        grown[...] = self._free[None, :]
        self._rows, self._masks = grown, [None] * (2 * rows)

    def _placed(self, mask: np.ndarray) -> Array:
        # A copy, as torch warns of arrays that are not to be written into, which masks are.
        return array_namespace(self._banned).asarray(mask, device=device(self._banned), copy=True)

    def _limit(self, allowed: Array) -> Array:
        xp = array_namespace(allowed)
        return (xp.astype(allowed & ~self._banned, xp.float32) - 0.5) * xp.inf
