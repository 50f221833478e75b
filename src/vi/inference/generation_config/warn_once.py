"""Saying the same thing once, however many calls it applies to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from vi.inference.generation_config.effects import Notice


class WarnOnce:
    """Logs one warning per distinct cause. One object per model: what one model said does not silence another."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def __call__(self, notices: Iterable[Notice]) -> None:
        """Log the notices whose cause is new. Safe from any thread."""
        with self._lock:
            new = list({notice.cause: notice for notice in notices if notice.cause not in self._said}.values())
            self._said.update(notice.cause for notice in new)
        for notice in new:
            self._logger.warning("%s", notice.text)
