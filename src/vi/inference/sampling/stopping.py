"""Stop strings: where a text ends because the caller said so, and what may be shown before that is known."""

from __future__ import annotations

from collections.abc import Iterable

from vi.inference.errors import ConfigError


class StopStrings:
    """Watches one request's text, however it is cut into pieces, for any of some strings.

    The text ends at the stop string that is complete first (of those, at the longest); it and all after it are
    dropped. Text that may be the beginning of a stop string is held back, so none is ever released in part.
    Raises ConfigError for an empty stop string.
    """

    def __init__(self, strings: Iterable[str] = ()) -> None:
        self._strings = tuple(strings)
        if "" in self._strings:
            raise ConfigError("stop_strings holds an empty string.", "Each must have at least one character.")
        self._held = ""
        self._stopped = False

    def push(self, text: str) -> tuple[str, bool]:
        """Add text; returns what may be shown now, and whether a stop string was met (then and ever after)."""
        if not self._strings:
            return text, False
        if self._stopped:
            return "", True
        text = self._held + text
        ends = [(start + len(stop), start) for stop in self._strings if (start := text.find(stop)) >= 0]
        if ends:
            self._stopped, self._held = True, ""
            return text[: min(ends)[1]], True
        kept = len(text) - self._beginning(text)
        self._held = text[kept:]
        return text[:kept], False

    def flush(self) -> str:
        """The text held back, when no more will come."""
        held, self._held = self._held, ""
        return held

    def _beginning(self, text: str) -> int:
        """Length of the longest end of ``text`` that begins a stop string."""
        longest = 0
        for stop in self._strings:
            for length in range(min(len(stop) - 1, len(text)), longest, -1):
                if text.endswith(stop[:length]):
                    longest = length
                    break
        return longest
