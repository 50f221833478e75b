"""What a grammar cannot say of grounded phrases: boxes whose corners are in order, phrases that the sentence has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vi.inference.structured.json_state import OPEN_ARRAY, OPEN_OBJECT, JsonState, Mode

if TYPE_CHECKING:
    from vi.inference.structured.tables import TokenizerTables

CLOSERS, DIGITS, QUOTE = b",]", b"0123456789", b'"'
RULED = (b'"phrase"', b'"grounding"')  # keys whose values the rule is about
LONGEST_TOKEN = 32  # bytes; a longer part of a sentence is spelt in more tokens
_CHARACTER = re.compile(rb"\\u[dD][89abAB]..\\u....|\\u....|\\.|[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*", re.DOTALL)


@dataclass(frozen=True)
class GroundingRule:
    """Boxes of four integers under ``grounding``: of each axis the first below the second, none outside the picture.

    width, height: where the picture's far edges are, in the units that the model writes; y_first: whether a box is
    [y1, x1, y2, x2]. A ``phrase`` is a part of the ``sentence`` before it.
    """

    width: int
    height: int
    y_first: bool = False

    def limits(self, index: int) -> int:
        """The largest value of a box's ``index``-th number."""
        return self.height if (index % 2 == 0) == self.y_first else self.width


class GroundingWalk:
    """One request's walk under a GroundingRule, beside that of its JSON."""

    def __init__(self, rule: GroundingRule) -> None:
        self._rule = rule
        self._sentence = b""
        self._bounds: tuple[int, ...] = ()  # where characters of the sentence begin, and its end
        self._corner: tuple[int, ...] = ()  # the numbers of the box at hand

    def copy(self) -> GroundingWalk:
        twin = GroundingWalk(self._rule)
        twin._sentence, twin._bounds, twin._corner = self._sentence, self._bounds, self._corner
        return twin

    def observe(self, state: JsonState) -> None:
        """Keep up with the JSON, after every byte."""
        if (
            state.mode is Mode.AFTER
            and state.depth
            and state.stack[-1] == OPEN_OBJECT
            and state.keys[-1] == b"sentence"
        ):
            self._sentence = state.text
            self._bounds = (*(match.start() for match in _CHARACTER.finditer(state.text)), len(state.text))
        elif _in_box(state):
            if state.mode is Mode.FIRST_ITEM:
                self._corner = ()
            elif state.mode is Mode.VALUE and len(self._corner) < state.indices[-1]:
                self._corner += (int(state.text),)

    def may_follow(self, state: JsonState) -> bytes | None:
        """The bytes that may come next, None for any that the grammar takes."""
        if _in_phrase(state):
            ends = list(self._ends(state.text))
            following = {self._sentence[end] for end in ends if end < len(self._sentence)}
            closing = QUOTE if state.text and any(end in self._bounds for end in ends) else b""
            return bytes(following) + closing
        if _in_box(state) and state.mode in (Mode.VALUE, Mode.FIRST_ITEM, Mode.SCALAR):
            written = state.text if state.mode is Mode.SCALAR else b""
            low, high = self._range(state.indices[-1])
            following = {digit for digit in DIGITS if _reaches(written + bytes([digit]), low, high)}
            return bytes(following) + (CLOSERS if written and low <= int(written) <= high else b"")
        return None

    def permits(self, state: JsonState, piece: bytes) -> bool:
        """Whether ``piece`` may come next, as far as the rule goes."""
        elsewhere = state.mode in (Mode.BEFORE, Mode.STRING) and not _in_phrase(state)
        if elsewhere and not any(key in piece for key in RULED):
            return True
        walk, state = self.copy(), state.copy()
        for byte in piece:
            following = walk.may_follow(state)
            if following is not None and byte not in following:
                return False
            state.feed(bytes([byte]))
            walk.observe(state)
        return True

    def narrow(self, allowed: np.ndarray, state: JsonState, tables: TokenizerTables) -> np.ndarray:
        """Of ``allowed`` bool [V], the tokens that the rule takes."""
        kept = np.zeros_like(allowed)
        looked_at = allowed
        if _in_phrase(state):
            kept[list(self._parts(state.text, tables))] = True
            kept &= allowed
            looked_at = allowed & tables.quoting
        elif state.mode in (Mode.BEFORE, Mode.STRING):
            return allowed  # no token reaches from there into a phrase or a box
        in_number = _in_box(state) and state.mode in (Mode.VALUE, Mode.FIRST_ITEM, Mode.SCALAR)
        written = state.text if state.mode is Mode.SCALAR else b""
        low, high = self._range(state.indices[-1]) if in_number else (0, 0)
        for token_id in np.flatnonzero(looked_at).tolist():
            piece = tables.spelling(token_id)
            if in_number and piece.isdigit():
                kept[token_id] = _reaches(written + piece, low, high)
            else:
                kept[token_id] = self.permits(state, piece)
        return kept

    def _ends(self, text: bytes) -> Iterator[int]:
        """Where in the sentence a part that begins as ``text`` stands now."""
        for start in self._bounds[:-1]:
            if self._sentence.startswith(text, start):
                yield start + len(text)

    def _parts(self, text: bytes, tables: TokenizerTables) -> Iterator[int]:
        """Tokens that go on with a part of the sentence."""
        for end in self._ends(text):
            for length in range(1, min(LONGEST_TOKEN, len(self._sentence) - end) + 1):
                yield from tables.ids.get(self._sentence[end : end + length], ())

    def _range(self, index: int) -> tuple[int, int]:
        limit = self._rule.limits(index)
        if index < 2 or len(self._corner) < 2:
            return 0, limit - 1  # the second corner lies beyond
        return self._corner[index - 2] + 1, limit


def _in_box(state: JsonState) -> bool:
    if state.depth < 3 or state.mode in (Mode.STRING, Mode.IN_KEY):
        return False
    return state.stack[-1] == state.stack[-2] == OPEN_ARRAY and state.keys[-3] == b"grounding"


def _in_phrase(state: JsonState) -> bool:
    return state.mode is Mode.STRING and state.stack[-1:] == [OPEN_OBJECT] and state.keys[-1] == b"phrase"


def _reaches(digits: bytes, low: int, high: int) -> bool:
    """Whether a number in ``low`` to ``high`` begins with these digits, or is them."""
    least = most = int(digits)
    if digits[:1] == b"0":
        return len(digits) == 1 and low <= 0 <= high
    while least <= high:
        if most >= low:
            return True
        least, most = least * 10, most * 10 + 9
    return False
