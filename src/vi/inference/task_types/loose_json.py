"""Reading JSON as models write it: fenced, amid prose, in single quotes, with commas too many, cut in the middle."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

_SPACE = re.compile(r"(?:\s|//[^\n]*\n|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WORD = re.compile(r"[A-Za-z_][\w-]*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_CLOSING = {'"': '"', "'": "'", "\u201c": "\u201d"}
DEEPEST = 64
MOST_TRIED = 64  # brackets at which a value may begin


@dataclass(frozen=True)
class Cut:
    """A string of which only the beginning was written."""

    text: str


@dataclass(frozen=True)
class Loose:
    """value: what was read; an item that was cut is left out, of a string its beginning is kept as a Cut. cut: whether
    the text ended before the value did. start, end: where in the text it stands."""

    value: Any
    cut: bool
    start: int
    end: int


class _End(Exception):
    """The text ended."""


class _Wrong(Exception):
    """What stands here is not JSON in any spelling."""


def find_loose(text: str, start: int = 0) -> Loose | None:
    """The first object or list in ``text`` that reads as JSON and holds anything; None where there is none."""
    for match in islice(re.compile(r"[{\[]").finditer(text, start), MOST_TRIED):
        reader = _Reader(text, match.start())
        try:
            value = reader.value(0)
        except (_Wrong, _End):
            continue
        if value:
            return Loose(value, reader.cut, match.start(), reader.at)
    return None


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self.at = at
        self.cut = False

    def value(self, depth: int) -> Any:
        self._skip()
        if depth > DEEPEST:
            raise _Wrong
        first = self._peek()
        if first in "{[":
            return self._container(depth)
        if first in _CLOSING:
            return self._string()
        number = _NUMBER.match(self._text, self.at)
        if number:
            return self._number(number)
        word = _WORD.match(self._text, self.at)
        if word is None:
            raise _Wrong
        self.at = word.end()
        if word[0] in _WORDS:
            return _WORDS[word[0]]
        if self.at == len(self._text):
            raise _End
        raise _Wrong

    def _container(self, depth: int) -> Any:
        """An object or a list, without an item that was cut."""
        opened, found = self._text[self.at], []
        closing = "}" if opened == "{" else "]"
        self.at += 1
        try:
            while self._skip_to_item() != closing:
                found.append(self._pair(depth) if opened == "{" else self.value(depth + 1))
                if self.cut:
                    break
            else:
                self.at += 1
        except _End:
            self.cut = True
        return dict(found) if opened == "{" else found

    def _pair(self, depth: int) -> tuple[str, Any]:
        word = _WORD.match(self._text, self.at)
        key = word[0] if word else self._string() if self._peek() in _CLOSING else None
        if key is None:
            raise _Wrong
        if isinstance(key, Cut):
            raise _End
        self.at = word.end() if word else self.at
        self._skip()
        if self._peek() != ":":
            raise _Wrong
        self.at += 1
        return key, self.value(depth + 1)

    def _number(self, match: re.Match[str]) -> int | float:
        self.at = match.end()
        if not self._text[self.at :].strip("eE.+-"):
            raise _End  # further digits may have been to come
        try:
            return int(match[0])
        except ValueError:
            return float(match[0])

    def _string(self) -> str | Cut:
        """A string; a quote within one of single quotes ends it only where something of JSON follows."""
        closing = _CLOSING[self._text[self.at]]
        self.at += 1
        found: list[str] = []
        while self.at < len(self._text):
            character = self._text[self.at]
            if character == "\\":
                if self.at + 1 == len(self._text):
                    break
                found.append(self._escape())
                continue
            self.at += 1
            if character == closing and (closing == '"' or re.match(r"\s*(?:[,:}\]]|$)", self._text[self.at :])):
                return "".join(found)
            found.append(character)
        self.cut = True
        return Cut("".join(found))

    def _escape(self) -> str:
        unit = re.compile(r"(?:\\u[0-9a-fA-F]{4})+").match(self._text, self.at)
        if unit:
            self.at = unit.end()
            return str(json.loads(f'"{unit[0]}"')).encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        character = self._text[self.at + 1]
        self.at += 2
        return _ESCAPES.get(character, character)

    def _skip_to_item(self) -> str:
        self._skip()
        while self._peek() == ",":
            self.at += 1
            self._skip()
        return self._peek()

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self.at)
        self.at = match.end() if match else self.at

    def _peek(self) -> str:
        if self.at >= len(self._text):
            raise _End
        return self._text[self.at]
