"""Where in a clip each token should look, as ``looks.py`` has it for pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from training.workbench.clip_targets import Shots, all_spots
from training.workbench.clips import Clip
from training.workbench.looks import KIND_NAME, PART_NAME, Span, within
from training.workbench.scenes import Part


class ClipGaze:
    """Which cells of one clip a text is about: those that tell what the parts do that it names.

    grid: (rows, columns) of the cells of a temporal patch.
    """

    def __init__(self, clip: Clip, shots: Shots, grid: tuple[int, int]) -> None:
        self._clip, self._shots, self._grid = clip, shots, grid

    def of_prompt(self, text: str, offsets: Sequence[Span]) -> np.ndarray:
        """bool [tokens, cells]: the word for a kind looks at the parts of that kind, and of the colour before it."""
        looks = np.tile(self._at([]), (len(offsets), 1))
        for found in KIND_NAME.finditer(text):
            looks[within(offsets, found.span())] = self._at([p for p in self._clip.parts if p.kind == found[1].lower()])
        for found in PART_NAME.finditer(text):
            looks[within(offsets, (found.start(3), found.end(3)))] = self._at(self._called(found))
        return looks

    def of_answer(self, prompt: str, text: str, offsets: Sequence[Span]) -> np.ndarray:
        """bool [tokens, cells]: a name looks at what it names, the rest at what the prompt names or at what moves."""
        asked = [part for found in PART_NAME.finditer(prompt) for part in self._called(found)]
        looks = np.tile(self._at(asked or [motion.last for motion in self._clip.motions]), (len(offsets), 1))
        for found in PART_NAME.finditer(text):
            looks[within(offsets, found.span())] = self._at(self._called(found))
        return looks

    def _called(self, found: re.Match[str]) -> list[Part]:
        size, colour, kind = (group.lower() if group else group for group in found.groups())
        return [p for p in self._clip.parts if (p.colour, p.kind) == (colour, kind) and size in (None, p.size)]

    def _at(self, parts: Sequence[Part]) -> np.ndarray:
        return all_spots(self._clip, parts, self._shots, self._grid)
