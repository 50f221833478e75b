"""How long reading one source may take."""

from __future__ import annotations

import time

from ..errors import SourceError


class Deadline:
    """A moment, ``seconds`` from now, for what ``label`` names; looked at between the small steps of long work."""

    def __init__(self, seconds: float, label: str = "", hint: str = "") -> None:
        self._seconds, self._label, self._hint = seconds, label, hint
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then; negative afterwards."""
        return self._end - time.monotonic()

    def bound(self, timeout: float | None, late: type[Exception]) -> float:
        """``timeout`` or what is left, whichever is shorter; raises ``late`` where nothing is left."""
        left = self.left()
        if left <= 0:
            raise late("the deadline has passed")
        return left if timeout is None else min(timeout, left)

    def check(self) -> None:
        """Raises SourceError when the time is over."""
        if self.left() < 0:
            raise SourceError(f"{self._label} took longer than {self._seconds:g} s to decode.", self._hint)
