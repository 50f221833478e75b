"""Where in the picture each token should look: at the parts that it names, places, or is an answer about.

Answers alone teach this last of all: until a token reads the right cell, nothing it could copy from there is rewarded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from training.workbench.parts import COLOURS, KINDS
from training.workbench.scenes import Part, Scene
from training.workbench.tell import DEFECT, groups

_KINDS, _FLAWS = "|".join(KINDS), "|".join(DEFECT.values())
PART_NAME = re.compile(
    rf"(?:\b(?:an?|\d|the) )?(?:\b(small|large) )?\b({'|'.join(COLOURS)}) ({_KINDS})s?\b"
    rf"(?: (?:with|has) (?:{_FLAWS}))?"
    r"(?:(?: is| lies)? (?:at|in|on) the (?:(?:top|bottom) (?:left|right)|top|bottom|left|right|center))?"
    rf"(?:\. It has (?:{_FLAWS}))?",
    re.IGNORECASE,
)
KIND_NAME = re.compile(rf"\b({_KINDS})s?\b", re.IGNORECASE)
_BOX = re.compile(r"\[(\d+),(\d+),(\d+),(\d+)\]")
Span = tuple[int, int]


class Gaze:
    """Which cells of one scene a text is about. cells: (rows, columns); seen: (width, height), of which boxes tell."""

    def __init__(self, scene: Scene, cells: tuple[int, int], seen: tuple[int, int]) -> None:
        self._parts, self._cells = scene.parts, cells
        self._boxes = np.array([scene.box(part) for part in scene.parts]).reshape(-1, 4) * (*seen, *seen)  # in pixels

    def of_answer(self, text: str, think: str, offsets: Sequence[Span]) -> np.ndarray:
        """bool [tokens, cells]: a box looks at its part, a name at those it names, the rest at what ``think`` names."""
        looks = np.tile(self._at(self._named(think)), (len(offsets), 1))
        for found in PART_NAME.finditer(text):
            looks[within(offsets, found.span())] = self._at(self._called(found))
        for found in _BOX.finditer(text):
            looks[within(offsets, found.span())] = self._at([self._boxed(found)])
        return looks

    def edges(self, text: str, offsets: Sequence[Span]) -> np.ndarray:
        """int64 [tokens, 4]: the edges of the box that a token is part of, in its pixels; -1 outside boxes."""
        edges = np.full((len(offsets), 4), -1)
        for found in _BOX.finditer(text):
            edges[within(offsets, found.span())] = list(map(int, found.groups()))
        return edges

    def turns(self, text: str, offsets: Sequence[Span]) -> np.ndarray:
        """int64 [tokens]: in a list of parts, the turn (see ``Batch``) of the one that a token names or boxes; else -1.

        What one answer names alone has a turn too, but nothing before it tells which.
        """
        turns = np.full(len(offsets), -1)
        named = [found for found in PART_NAME.finditer(text) if found[1] is None]
        if len(named) < 2:
            return turns
        order = {(group[0].colour, group[0].kind): turn for turn, group in enumerate(groups(self._parts))}
        ends = [*(found.start() for found in named[1:]), len(text)]
        for found, end in zip(named, ends, strict=True):
            turn = order.get((found[2].lower(), found[3].lower()), -1)  # what is told to be absent has none
            turns[within(offsets, found.span())] = turn
            for box in _BOX.finditer(text, found.end(), end):
                turns[within(offsets, box.span())] = turn
        return turns

    def of_prompt(self, text: str, offsets: Sequence[Span]) -> np.ndarray:
        """bool [tokens, cells]: the word for a kind looks at the parts of that kind, and of the colour before it."""
        looks = np.zeros((len(offsets), self._cells[0] * self._cells[1]), bool)
        for found in KIND_NAME.finditer(text):
            looks[within(offsets, found.span())] = self._at([p for p in self._parts if p.kind == found[1].lower()])
        for found in PART_NAME.finditer(text):
            looks[within(offsets, (found.start(3), found.end(3)))] = self._at(self._called(found))
        return looks

    def _named(self, text: str) -> list[Part]:
        return [part for found in PART_NAME.finditer(text) for part in self._called(found)]

    def _called(self, found: re.Match[str]) -> list[Part]:
        size, colour, kind = (group.lower() if group else group for group in found.groups())
        return [p for p in self._parts if (p.colour, p.kind) == (colour, kind) and size in (None, p.size)]

    def _boxed(self, found: re.Match[str]) -> Part:
        """The part of that box. Its centre is not the box's: few parts are the same on both sides."""
        return self._parts[int(np.abs(self._boxes - [float(edge) for edge in found.groups()]).sum(1).argmin())]

    def _at(self, parts: Sequence[Part]) -> np.ndarray:
        where = np.zeros(self._cells[0] * self._cells[1], bool)
        where[[self._cell(p.x, p.y) for p in parts]] = True
        return where

    def _cell(self, x: float, y: float) -> int:
        rows, columns = self._cells
        return min(rows - 1, int(y * rows)) * columns + min(columns - 1, int(x * columns))


def within(offsets: Sequence[Span], span: Span) -> np.ndarray:
    """bool [tokens]: those that share a character with the span."""
    starts, ends = np.array(offsets).reshape(-1, 2).T
    return (ends > span[0]) & (starts < span[1])
