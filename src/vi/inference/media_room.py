"""How much of prepared pictures and clips is in memory at a time."""

from __future__ import annotations

import threading

MOST_BYTES = 2**31
"""Hundreds of pictures, or a few minutes of clips."""


class MediaRoom:
    """Requests wait here until there is room for their arrays; one that is larger than the room comes in alone.

    Any number of threads may enter; each request that has entered leaves once.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held = 0
        self._changed = threading.Condition()

    def enter(self, num_bytes: int) -> None:
        """Wait for room, then take it."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._held + num_bytes <= self._most)
            self._held += num_bytes

    def leave(self, num_bytes: int) -> None:
        """Give room back; never waits long."""
        with self._changed:
            self._held -= num_bytes
            self._changed.notify_all()
