"""Which tokens a request has used already, so that a penalty can be put on them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class SeenTokens:
    """The distinct tokens of a text that grows, but for those of the prompt in ``exclude`` (media and padding)."""

    def __init__(self, token_ids: Iterable[int], exclude: Iterable[int] = ()) -> None:
        self._known = set(token_ids).difference(exclude)
        self._ids = np.fromiter(self._known, dtype=np.int64, count=len(self._known))
        self._count = len(self._ids)

    @property
    def ids(self) -> np.ndarray:
        """int64 [N], in no order; valid until the next ``add``."""
        return self._ids[: self._count]

    def add(self, token_id: int) -> None:
        if token_id in self._known:
            return
        self._known.add(token_id)
        if self._count == len(self._ids):
            self._ids = np.concatenate([self._ids, np.empty(max(64, self._count), dtype=np.int64)])
        self._ids[self._count] = token_id
        self._count += 1
