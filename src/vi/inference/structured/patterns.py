"""What a regular expression demands: how much text at most, and a least text that it takes."""

from __future__ import annotations

import re
from dataclasses import dataclass

WIDEST_CHARACTER = 4  # bytes in UTF-8
LONGEST_SAMPLE = 1 << 15  # characters
_REPEAT = re.compile(r"\{(\d+)(?:,\d*)?\}\??|\{,\d+\}\??|[*+?]\??")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:[pPuxU]\{[^}]*\}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|[a-zA-Z-]*:?))?")
_ANCHOR = re.compile(r"[\^$]|\\[AbBzZ]")
_TRIED = [*"a0A1 _-.,:/@", *map(chr, range(33, 127)), "é", "\n", "\t"]  # members of a class, the plainest first


@dataclass(frozen=True)
class Demand:
    """most: bytes that a text begun in any way may still need before it can end; what follows in sequence adds up, of
    alternatives the longest counts, of a part that repeats freely one turn. least: a short text that fits, None where
    none was found."""

    most: int = 0
    least: str | None = ""

    def __add__(self, other: Demand) -> Demand:
        both = None if self.least is None or other.least is None else self.least + other.least
        return Demand(self.most + other.most, both)

    def or_else(self, other: Demand) -> Demand:
        texts = [text for text in (self.least, other.least) if text is not None]
        return Demand(max(self.most, other.most), min(texts, key=len, default=None))

    def times(self, least: int) -> Demand:
        """This, at least so many times."""
        short = self.least is not None and len(self.least) * least <= LONGEST_SAMPLE
        return Demand(self.most * max(least, 1), self.least * least if short and self.least is not None else None)


def demand_of(pattern: str) -> Demand:
    """The Demand of a regular expression; one that is not understood in full only makes it less exact."""
    return _Reader(pattern).alternatives()


class _Reader:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def alternatives(self) -> Demand:
        found: Demand | None = None
        branch = Demand()
        while self._at < len(self._pattern) and self._pattern[self._at] != ")":
            if self._pattern[self._at] == "|":
                self._at += 1
                found, branch = found.or_else(branch) if found else branch, Demand()
            else:
                branch += self._repeated(self._atom())
        return found.or_else(branch) if found else branch

    def _atom(self) -> Demand:
        if self._match(_ANCHOR):
            return Demand()
        if self._match(_GROUP):
            inside = self.alternatives()
            self._at += 1  # the closing bracket
            return inside
        one = self._match(_ESCAPE) or self._match(_CLASS)
        if one:
            return Demand(WIDEST_CHARACTER, _member(one))
        self._at += 1
        character = self._pattern[self._at - 1]
        return Demand(len(character.encode(errors="replace")), "a" if character == "." else character)

    def _repeated(self, atom: Demand) -> Demand:
        while repeat := _REPEAT.match(self._pattern, self._at):
            self._at = repeat.end()
            optional = repeat[0][0] in "*?" or repeat[0].startswith("{,")
            atom = atom.times(0 if optional else int(repeat[1] or 1))
        return atom

    def _match(self, kind: re.Pattern[str]) -> str:
        found = kind.match(self._pattern, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found[0]


def _member(one: str) -> str | None:
    """A character of a class or an escape, None where Python's own expressions do not know it."""
    try:
        kind = re.compile(one)
    except re.error:
        return None
    return next((character for character in _TRIED if kind.fullmatch(character)), None)
