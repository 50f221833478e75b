"""Telling a runaway from a long regular text: the same tokens over and over, or the same box."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

LONGEST_PERIOD = 256  # tokens of what is repeated
SHORTEST_LOOP = 256  # tokens that say nothing new; tables, rulers and rows of zeros stay below
REPEATS = ((40, 12), (LONGEST_PERIOD, 5))  # (period up to, times that it must come)
SAME_BOX = 8  # times that one box may be given
_BOX = re.compile(r"[\[(]\s*\d+(?:\.\d+)?(?:\s*,\s*\d+(?:\.\d+)?){3}\s*[\])]")
_TAIL = 64  # characters in which a box may still be open


@dataclass(frozen=True)
class Loop:
    """sound: how many tokens of the text come before anything is repeated; what recurs stands in them once."""

    sound: int


class LoopDetector:
    """Watches one request's tokens as they come. Memory and time per token do not grow with the text.

    A loop is a run of tokens that comes again and again without a change, 12 times for the shortest and 5 for the
    longest, over 256 tokens at least; or one box, [x1, y1, x2, y2], given more than 8 times. Rows that differ in a
    number, as those of tables and lists of similar boxes do, are none.
    """

    def __init__(self) -> None:
        self._early: list[int] = []  # the first tokens, too few for a loop
        self._recent = np.full(LONGEST_PERIOD, -1, dtype=np.int64)  # the last tokens, newest first
        self._same = np.zeros(LONGEST_PERIOD, dtype=np.int64)  # per period: tokens in a row equal to those before
        self._count = 0
        self._text = ""
        self._boxes: dict[str, list[int]] = {}  # box -> how often it came, and the tokens there were at first

    def push(self, token_id: int, text: str = "") -> Loop | None:
        """Take a token, and the text that it released; a Loop where it completes one."""
        self._count += 1
        if self._count <= TOO_FEW:
            self._early.append(token_id)
            return self._box_again(text) if text else None
        for earlier in self._early:
            self._compare(earlier)
        self._early = []
        self._compare(token_id)
        (periods,) = np.nonzero(self._same >= _NEEDED)
        if len(periods):
            run = self._same[self._same >= self._same[periods[0]]][0]  # of the shortest period, not a multiple
            return Loop(self._count - int(run))
        return self._box_again(text) if text else None

    def _compare(self, token_id: int) -> None:
        self._same = np.where(self._recent == token_id, self._same + 1, 0)
        self._recent[1:] = self._recent[:-1]
        self._recent[0] = token_id

    def _box_again(self, text: str) -> Loop | None:
        self._text += text
        if "]" not in text and ")" not in text:  # then no box ends in it
            self._text = self._text[-_TAIL:]
            return None
        end = 0
        for match in _BOX.finditer(self._text):
            end = match.end()
            x1, y1, x2, y2 = map(float, re.findall(r"\d+(?:\.\d+)?", match[0]))
            if x1 >= x2 or y1 >= y2:
                continue  # four numbers, but no box
            came = self._boxes.setdefault(re.sub(r"\s", "", match[0]), [0, self._count])
            came[0] += 1
            if came[0] > SAME_BOX:
                return Loop(came[1])
        self._text = self._text[max(end, len(self._text) - _TAIL) :]
        return None


def _needed() -> np.ndarray:
    """Per period, from 1: how many tokens must equal those a period before."""
    periods = np.arange(1, LONGEST_PERIOD + 1)
    times = np.select([periods <= limit for limit, _ in REPEATS], [count for _, count in REPEATS])
    return np.maximum(SHORTEST_LOOP, periods * times) - periods


_NEEDED = _needed()
TOO_FEW = int(_NEEDED.min())  # tokens of a text that can hold no loop
