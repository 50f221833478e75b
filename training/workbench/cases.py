"""Scenes, clips and wordings that training never saw: each is asked one question of every type that it has one for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
from PIL import Image

from training.workbench import clips
from training.workbench.clip_questions import CLIP_MIX, clip_question
from training.workbench.question import Question
from training.workbench.questions import MIX, random_question
from training.workbench.scenes import Scene, draw, random_scene, random_size
from vi.inference.media.clip import Clip

UNSEEN = 1_000_000  # series of scenes and clips that no training uses
TYPES = (*MIX, "grounding")
CLIP_TYPES = tuple(CLIP_MIX)
FPS = 4.0  # what a call looks at unless it says otherwise
LARGEST_CLIP = 640  # pixels of a side
TRAINED_SIDE = 224  # the model is trained to see pictures of this side, squared in area


@dataclass(frozen=True)
class Case:
    """A question about the scene of that number. place: of the question among those of its type, from 0; size: of the
    picture, (width, height) in pixels."""

    number: int
    place: int
    question: Question
    scene: Scene
    size: tuple[int, int]

    def picture(self) -> Image.Image:
        """Drawn when asked for, so that thousands of cases stay small."""
        return draw(self.scene, *self.size)

    def halved(self) -> Image.Image:
        """The picture at half of the size that the model is trained to see, or half of its own if that is less, as a
        JPEG of quality 40."""
        scale = min(1.0, TRAINED_SIDE / (self.size[0] * self.size[1]) ** 0.5) * 0.5
        width, height = (max(28, round(side * scale)) for side in self.size)
        return draw(replace(self.scene, jpeg=40), width, height)


@dataclass(frozen=True)
class ClipCase:
    """A question about the clip of that number, in frames of that size (width, height) in pixels; see ``Case``."""

    number: int
    place: int
    question: Question
    clip: clips.Clip
    size: tuple[int, int]

    def picture(self) -> Clip:
        """The clip, with as many frames a second as a call looks at."""
        times = np.arange(0, self.clip.duration, 1 / FPS).tolist()
        return Clip.of(clips.frames(self.clip, times, *self.size), times)


def sheets(seed: int, wanted: Mapping[str, int]) -> Iterator[list[Case]]:
    """Per scene its cases, one of each type, until every type has as many as are wanted of it.

    A scene that has no clear question of a type is left out for that type alone. The cases of a type are the same
    whatever others are wanted.
    """
    left = {kind: number for kind, number in wanted.items() if number > 0}
    for number in count():
        if not left:
            return
        sheet = _sheet(seed, number, left, wanted)
        if sheet:
            yield sheet


def clip_sheets(seed: int, number: int, wanted: Sequence[str]) -> Iterator[list[ClipCase]]:
    """Per clip its cases, for so many clips; types as in ``CLIP_TYPES``."""
    places = dict.fromkeys(wanted, 0)
    for index in range(number):
        clip = clips.random_clip(UNSEEN + seed, index)
        rng = np.random.default_rng((UNSEEN, seed, index, 1))
        size = random_size(rng, clip.scene.aspect, longest=LARGEST_CLIP)
        sheet = []
        for kind in wanted:
            question = clip_question(_rng_of(seed, index, kind), clip, kind, unseen=True)
            if question is not None:
                sheet.append(ClipCase(index, places[kind], question, clip, size))
                places[kind] += 1
        yield sheet


def cases(kind: str, seed: int, number: int) -> list[Case]:
    """So many questions of one type, each about a scene of its own."""
    return [case for (case,) in sheets(seed, {kind: number})]


def _sheet(seed: int, number: int, left: dict[str, int], wanted: Mapping[str, int]) -> list[Case]:
    """The cases of one scene; those that it has are taken from ``left``."""
    scene = random_scene(UNSEEN + seed, number)
    size = random_size(np.random.default_rng((UNSEEN, seed, number)), scene.aspect)
    scene = replace(scene, aspect=size[0] / size[1])
    found = []
    for kind in list(left):
        question = random_question(_rng_of(seed, number, kind), scene, kind, unseen=True)
        if question is None:
            continue
        found.append(Case(number, wanted[kind] - left[kind], question, scene, size))
        left[kind] -= 1
        if not left[kind]:
            del left[kind]
    return found


def _rng_of(seed: int, number: int, kind: str) -> np.random.Generator:
    """Of one question, whatever others are asked."""
    return np.random.default_rng((UNSEEN, seed, number, zlib.crc32(kind.encode())))
