"""The workbench in motion: a part enters, leaves, moves, turns, gets a defect, or several pass by, at known times.

A clip is drawn from (seed, index) alone. Times are seconds from its first frame; places are fractions of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from PIL import Image

from training.workbench import surfaces
from training.workbench.defects import DEFECTS
from training.workbench.parts import extent
from training.workbench.scenes import SIZES, Part, Scene, lay, random_scene

# the share of each in training
ACTIONS = {"move": 0.29, "enter": 0.20, "leave": 0.20, "pass": 0.13, "turn": 0.08, "damage": 0.06, "still": 0.04}
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
SHORTEST, LONGEST = 2.0, 4.0  # seconds
MOST_PASSING = 5
PASSING_GAP = 0.5  # seconds from one part's entry to the next, at least
_LONG = ("bolt", "screw", "spring", "bracket")  # the others look the same from all sides
_SURE = 0.25  # seconds at both ends of a clip in which nothing happens yet, or any more


class Motion(NamedTuple):
    """A part goes evenly from one state to another; before ``start`` it is in the first, after ``stop`` in the last."""

    first: Part
    last: Part
    start: float
    stop: float

    def at(self, t: float) -> Part:
        share = (
            float(np.interp(t, (self.start, self.stop), (0, 1))) if self.start < self.stop else float(t > self.start)
        )
        first, last = self.first, self.last
        x, y, angle = (
            a + share * (b - a) for a, b in ((first.x, last.x), (first.y, last.y), (first.angle, last.angle))
        )
        return replace(first if share == 0 else last, x=x, y=y, angle=angle)

    def crossing(self) -> float:
        """When the part's centre crosses the picture's edge; asked only of parts that enter or leave."""
        shares = [
            (edge - a) / (b - a)
            for a, b in ((self.first.x, self.last.x), (self.first.y, self.last.y))
            for edge in (0.0, 1.0)
            if min(a, b) < edge < max(a, b)
        ]
        return self.start + shares[0] * (self.stop - self.start)


@dataclass(frozen=True)
class Clip:
    """scene: surface, light and the parts that lie still. motions: several only where parts pass, none where all is
    still. direction: of DIRECTIONS, None where nothing changes its place. duration: seconds."""

    scene: Scene
    action: str
    motions: tuple[Motion, ...]
    direction: str | None
    duration: float

    def at(self, t: float) -> Scene:
        """Everything at that time; the moving parts come last, and may be outside the picture."""
        return replace(self.scene, parts=(*self.scene.parts, *(motion.at(t) for motion in self.motions)))

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts that are seen at some time, the moving ones in their last state."""
        return (*self.scene.parts, *(motion.last for motion in self.motions))


def random_clip(
    seed: int, index: int, *, action: str | None = None, aspect: float | None = None, duration: float | None = None
) -> Clip:
    """The clip number ``index`` of the series ``seed``; its action, shape and seconds may be fixed."""
    rng = np.random.default_rng((seed, index, 24))
    if action is None:
        action = str(rng.choice(list(ACTIONS), p=list(ACTIONS.values())))
    if aspect is None:
        aspect = random_aspect(rng)
    if duration is None:
        duration = float(rng.uniform(SHORTEST, LONGEST))
    if action == "pass":
        return _passing(rng, seed, index, aspect, duration)
    scene = random_scene(seed, index, aspect=aspect, count=int(rng.integers(2, 6)))
    *others, actor = scene.parts
    scene = replace(scene, parts=tuple(p for p in others if (p.colour, p.kind) != (actor.colour, actor.kind)))
    if action == "still":
        return Clip(replace(scene, parts=(*scene.parts, actor)), action, (), None, duration)
    if action in ("turn", "damage"):
        motion = _turning(rng, actor, duration) if action == "turn" else _damaged(rng, scene, actor, duration)
        return Clip(scene, action, (motion,), None, duration)
    return _moving(rng, scene, actor, action, duration)


def random_aspect(rng: np.random.Generator) -> float:
    """Width to height of a clip: a square four times in ten, else up to 2:1 either way."""
    return 1.0 if rng.random() < 0.4 else float(np.exp(rng.uniform(-math.log(2), math.log(2))))


def _turning(rng: np.random.Generator, actor: Part, duration: float) -> Motion:
    if actor.kind not in _LONG:
        actor = replace(actor, kind=str(rng.choice(_LONG)))
    by = float(rng.uniform(0.5, 1.2)) * math.pi * (1 if rng.random() < 0.5 else -1)
    start, stop = _span(rng, duration, float(rng.uniform(0.9, 1.6)))
    return Motion(actor, replace(actor, angle=actor.angle + by), start, stop)


def _damaged(rng: np.random.Generator, scene: Scene, actor: Part, duration: float) -> Motion:
    """A defect is there at once, on a part large enough to show it and all in the picture."""
    radius = max(actor.radius, float(rng.uniform(*SIZES["large"])))
    x, y = (
        min(1 - reach, max(reach, place))
        for place, reach in ((actor.x, radius / math.sqrt(scene.aspect)), (actor.y, radius * math.sqrt(scene.aspect)))
    )
    whole = replace(actor, size="large", radius=radius, x=x, y=y, defect=None)
    start = float(rng.uniform(2 * _SURE, duration - 2 * _SURE))
    return Motion(whole, replace(whole, defect=str(rng.choice(DEFECTS)), mark=int(rng.integers(2**31))), start, start)


def _moving(rng: np.random.Generator, scene: Scene, actor: Part, action: str, duration: float) -> Clip:
    """A part that moves, enters or leaves in one of four directions, at rest clear of the others."""
    direction, path = "", []
    for _ in range(60):
        direction = str(rng.choice(list(DIRECTIONS)))
        path = _path(rng, scene, actor, action, DIRECTIONS[direction])
        if path and all(_is_free(scene, part) for part in path):
            break
    else:
        scene = replace(scene, parts=())
        while not path:
            direction = str(rng.choice(list(DIRECTIONS)))
            path = _path(rng, scene, actor, action, DIRECTIONS[direction])
    first, last = path
    length = max(abs(last.x - first.x), abs(last.y - first.y))
    start, stop = _span(rng, duration, length / float(rng.uniform(0.4, 0.9)))
    return Clip(scene, action, (Motion(first, last, start, stop),), direction, duration)


def _path(rng: np.random.Generator, scene: Scene, actor: Part, action: str, way: tuple[int, int]) -> list[Part]:
    """(first, last) of a straight way through the picture, nothing where there is no room for it."""
    lengths = (actor.radius / math.sqrt(scene.aspect), actor.radius * math.sqrt(scene.aspect))
    along = 0 if way[0] else 1
    margin = (0.9 * lengths[0], 0.9 * lengths[1])
    room = 1 - 2 * margin[along]
    if room < 0.3:
        return []
    far = float(rng.uniform(min(room, max(0.35, 3 * lengths[along])), room))
    near = float(rng.uniform(0, room - far)) + margin[along]  # where it is nearest to the edge that it comes from
    across = float(rng.uniform(margin[1 - along], 1 - margin[1 - along]))
    drift = float(rng.uniform(-0.1, 0.1)) * far
    ends = [(near, across), (near + far, min(1 - margin[1 - along], max(margin[1 - along], across + drift)))]
    if sum(way) < 0:
        ends = [(1 - place, beside) for place, beside in ends]
    first, last = (_placed(actor, along, *end) for end in ends)
    if action == "enter":
        first = _outside(scene, first, along, -sum(way))
    elif action == "leave":
        last = _outside(scene, last, along, sum(way))
    return [first, last]


def _placed(part: Part, along: int, place: float, beside: float) -> Part:
    return replace(part, x=place, y=beside) if along == 0 else replace(part, x=beside, y=place)


def _outside(scene: Scene, part: Part, along: int, sign: int) -> Part:
    """The part moved along one axis until it is just out of the picture."""
    left, top, right, bottom = extent(part.kind, part.angle)
    low, high = ((left, right), (top, bottom))[along]
    unit = part.radius / math.sqrt(scene.aspect) if along == 0 else part.radius * math.sqrt(scene.aspect) * scene.tilt
    place = 1 - low * unit if sign > 0 else -high * unit
    return replace(part, x=place) if along == 0 else replace(part, y=place)


def is_inside(part: Part) -> bool:
    """Whether the part's centre is in the picture."""
    return 0 <= part.x < 1 and 0 <= part.y < 1


def shows(scene: Scene, part: Part) -> bool:
    """Whether any of the part's box is in the picture."""
    x1, y1, x2, y2 = scene.box(part)
    return x1 < x2 and y1 < y2


def _is_free(scene: Scene, part: Part) -> bool:
    """Whether it would lie clear of all others, or is out of the picture."""
    x1, y1, x2, y2 = scene.box(part)
    boxes = (scene.box(other) for other in scene.parts)
    return not is_inside(part) or not any(
        min(x2, b[2]) > max(x1, b[0]) and min(y2, b[3]) > max(y1, b[1]) for b in boxes
    )


def _span(rng: np.random.Generator, duration: float, wanted: float) -> tuple[float, float]:
    """(start, stop) of about the seconds that are wanted, somewhere in the clip."""
    length = min(wanted, duration - 2 * _SURE)
    start = float(rng.uniform(_SURE, duration - _SURE - length))
    return start, start + length


def _passing(rng: np.random.Generator, seed: int, index: int, aspect: float, duration: float) -> Clip:
    """A belt that carries parts through the picture, one after the other, all of them to its end; there may be none."""
    scene = random_scene(seed, index, aspect=aspect, count=MOST_PASSING)
    direction = "left" if rng.random() < 0.5 else "right"
    sign = DIRECTIONS[direction][0]
    reaches = [1.21 * part.radius / math.sqrt(aspect) for part in scene.parts]  # a bracket's corner may lead
    room = duration - 2 * _SURE
    pace = min(float(rng.uniform(0.8, 1.2)), room / (1 + 2 * max(reaches)))  # seconds a picture's width
    room = max(0.0, room - pace * (1 + 2 * max(reaches)))  # for the entry of the last
    count = 0 if rng.random() < 0.04 else int(rng.integers(1, min(len(reaches), 1 + int(room / PASSING_GAP)) + 1))
    starts = np.sort(rng.uniform(0, max(0.0, room - PASSING_GAP * (count - 1)), count)) + _SURE
    motions = []
    for number, (part, reach, start) in enumerate(zip(scene.parts, reaches, starts, strict=False)):
        margin = 0.9 * part.radius * math.sqrt(aspect)
        part = replace(part, y=float(np.clip(0.5 + rng.normal(0, 0.12), margin, 1 - margin)))
        first, last = (replace(part, x=0.5 + side * sign * (0.5 + reach)) for side in (-1, 1))
        begin = float(start) + number * PASSING_GAP
        motions.append(Motion(first, last, begin, begin + pace * (1 + 2 * reach)))
    scene = replace(scene, parts=(), surface="conveyor belt")
    return Clip(scene, "pass", tuple(motions), direction, duration)


def frame(clip: Clip, t: float, width: int, height: int) -> Image.Image:
    """The picture at that time, RGB, width x height pixels."""
    return frames(clip, [t], width, height)[0]


def frames(clip: Clip, times: Sequence[float], width: int, height: int) -> list[Image.Image]:
    """The pictures at those times: one ground in one light, and the sensor's noise of each time its own."""
    scene = clip.scene
    ground = surfaces.draw(scene.surface, width, height, np.random.default_rng(scene.seed))
    lay(scene.parts, scene, ground)
    blur = scene.blur * math.sqrt(width * height)
    pictures = []
    for t in times:
        canvas = _carried(clip, t, ground)
        lay([part for part in (motion.at(t) for motion in clip.motions) if shows(scene, part)], scene, canvas)
        rng = np.random.default_rng((scene.seed, round(1000 * t)))
        pictures.append(surfaces.expose(canvas, rng, scene.light, scene.gain, scene.noise, blur, scene.jpeg))
    return pictures


def _carried(clip: Clip, t: float, ground: Image.Image) -> Image.Image:
    """A canvas of its own; a belt moves with what it carries."""
    if clip.action != "pass" or not clip.motions:
        return ground.copy()
    first, last, start, stop = clip.motions[0]
    shift = round(t * (last.x - first.x) / (stop - start) * ground.width)
    return Image.fromarray(np.roll(np.asarray(ground), shift, axis=1))
