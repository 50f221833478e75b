"""How much text a regular expression can demand."""

from __future__ import annotations

import re

WIDEST_CHARACTER = 4  # bytes in UTF-8
_REPEAT = re.compile(r"\{(\d+)(?:,\d*)?\}|\{,\d+\}|[*+?]")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:[pPuxU]\{[^}]*\}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|[a-zA-Z-]*:?))?")


def most_demanded(pattern: str) -> int:
    """Most bytes that a text of this regular expression, begun in any way, may still need before it can end.

    What follows in sequence adds up, of alternatives the longest counts, and of a part that repeats freely one turn.
    """
    return _Reader(pattern).alternatives()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def alternatives(self) -> int:
        most = total = 0
        while self._at < len(self._pattern) and self._pattern[self._at] != ")":
            if self._pattern[self._at] == "|":
                self._at += 1
                most, total = max(most, total), 0
            else:
                total += self._atom() * self._turns()
        return max(most, total)

    def _atom(self) -> int:
        group = self._match(_GROUP)
        if group:
            inside = self.alternatives()
            self._at += 1  # the closing bracket
            return inside
        escaped = self._match(_ESCAPE)
        if escaped:
            return WIDEST_CHARACTER if escaped[1] in "pPuU" else 1
        if self._match(_CLASS):
            return WIDEST_CHARACTER
        self._at += 1
        return len(self._pattern[self._at - 1].encode(errors="replace"))

    def _turns(self) -> int:
        least = 1
        while repeat := _REPEAT.match(self._pattern, self._at):
            self._at = repeat.end()
            least *= max(int(repeat[1] or 1), 1)
        return least

    def _match(self, kind: re.Pattern[str]) -> str:
        found = kind.match(self._pattern, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found[0]
