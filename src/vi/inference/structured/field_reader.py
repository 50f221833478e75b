"""The fields of a JSON document while its text comes in, each as soon as it is complete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from vi.inference.structured.json_state import JsonState, Mode, Path, path_of

BEGINS = (Mode.VALUE, Mode.FIRST_ITEM)
EMPTY = (Mode.FIRST_ITEM, Mode.FIRST_KEY)
IN_TEXT = (Mode.STRING, Mode.IN_KEY)
SPACE = " \t\r\n"


class Field(NamedTuple):
    """A value that is complete: the keys and indices that lead to it, and where its text is, in characters."""

    path: Path
    value: Any
    start: int
    end: int


class FieldReader:
    """Reads one JSON document piece by piece; how the text is cut into pieces makes no difference.

    Strings, numbers, true, false, null and empty containers are fields; so is a container whose path ``whole`` accepts,
    in place of what is in it. The document is well formed, as a grammar makes it; it may be cut off.
    """

    def __init__(self, whole: Callable[[Path], bool] = lambda path: False) -> None:
        self._whole = whole
        self._state = JsonState()
        self._text = ""
        self._leaf: tuple[int, Path] = (0, ())  # where the string or scalar at hand begins
        self._open: list[tuple[int, Path]] = []  # where the containers begin that are open
        self._given_whole = -1  # how many are open around the one that is given whole, -1 outside of any

    def feed(self, piece: str) -> Iterator[Field]:
        """The fields that ``piece`` completes, in their order."""
        start, self._text = len(self._text), self._text + piece
        for here, character in enumerate(piece, start):
            if self._state.mode in IN_TEXT or character not in SPACE:
                yield from self._take(character, here)

    def close(self) -> Iterator[Field]:
        """What the end of the text completes: a number, true, false or null that is the whole document."""
        if self._state.mode is Mode.SCALAR and not self._open:
            yield from self._field(*self._leaf, len(self._text))

    def _take(self, character: str, here: int) -> Iterator[Field]:
        state = self._state
        before, closes = state.mode, character in "]}" and state.mode not in IN_TEXT
        if before in BEGINS and not closes:
            self._begin(character, here)
        state.feed(character.encode(errors="replace"))
        in_whole = self._given_whole >= 0
        if not in_whole and before is Mode.SCALAR and state.mode is not Mode.SCALAR:
            yield from self._field(*self._leaf, here)
        elif not in_whole and before is Mode.STRING and state.mode is Mode.AFTER:
            yield from self._field(*self._leaf, here + 1)
        if closes and self._open:
            start, path = self._open.pop()
            if len(self._open) == self._given_whole or (before in EMPTY and not in_whole):
                yield from self._field(start, path, here + 1)
            if len(self._open) == self._given_whole:
                self._given_whole = -1

    def _begin(self, character: str, here: int) -> None:
        if self._given_whole < 0 or character in "{[":
            self._leaf = here, path_of(self._state)
        if character in "{[":
            if self._given_whole < 0 and self._whole(self._leaf[1]):
                self._given_whole = len(self._open)
            self._open.append(self._leaf)

    def _field(self, start: int, path: Path, end: int) -> Iterator[Field]:
        try:
            value = json.loads(self._text[start:end])
        except ValueError:
            return  # not what a grammar lets a model write
        yield Field(path, value, start, end)
