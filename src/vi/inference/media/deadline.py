"""How long reading one source may take."""

from __future__ import annotations

import time

from ..errors import SourceError


class Deadline:
    """``seconds`` from now on for what ``label`` names; checked between the small steps of long work."""

    def __init__(self, seconds: float, label: str, hint: str = "") -> None:
        self._seconds, self._label, self._hint = seconds, label, hint
        self._end = time.monotonic() + seconds

    def check(self) -> None:
        """Raises SourceError when the time is over."""
        if time.monotonic() > self._end:
            raise SourceError(f"{self._label} took longer than {self._seconds:g} s to decode.", self._hint)
