"""What sight and cells are to tell of a clip: the parts of every temporal patch, and what each has done so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.workbench.clips import DIRECTIONS, MOST_PASSING, Clip, Motion, is_inside, shows
from training.workbench.scenes import Part
from training.workbench.targets import dense_targets

# what a cell is to know of the part in it, by then: what it has done, which way, and as how manieth it passes
DONE = ("nothing", "lain still", "moved", "entered", "left", "turned", "got a defect", "passed")
WAYS = (None, *DIRECTIONS)
MOTIONS = (len(DONE), len(WAYS), MOST_PASSING)
OPEN = -100  # a class that is not to be told
_MOVED, _TURNED = 0.04, 0.25  # of the picture, radians: what can be seen


@dataclass(frozen=True)
class Shots:
    """When a clip is looked at: ``fps`` times a second from its first frame on, as the package's media room does.

    The last frame is repeated where temporal patches, of two frames each, are not full.
    """

    duration: float
    fps: float

    @property
    def times(self) -> list[float]:
        count = math.ceil(self.duration * self.fps - 1e-6)
        return [number / self.fps for number in range(count)]

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """One a temporal patch."""
        times = self.times
        return [(time, times[min(number + 1, len(times) - 1)]) for number, time in list(enumerate(times))[::2]]

    @property
    def middles(self) -> list[float]:
        return [(first + last) / 2 for first, last in self.pairs]

    @property
    def seconds_per_grid(self) -> float:
        """How long a temporal patch lasts (``second_per_grid_ts``)."""
        return 2 * self.duration / len(self.times)


def clip_dense_targets(
    clip: Clip, shots: Shots, grid: tuple[int, int]
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """``dense_targets`` of every temporal patch, one after the other, each in the middle of its two frames."""
    patches, cells = [], []
    for t in shots.middles:
        scene = clip.at(t)
        patches.append(dense_targets(replace(scene, parts=tuple(p for p in scene.parts if shows(scene, p))), grid)[0])
        cells.append(dense_targets(replace(scene, parts=tuple(p for p in scene.parts if is_inside(p))), grid)[1])
    patch, cell = ([np.concatenate(kind) for kind in zip(*pairs, strict=True)] for pairs in (patches, cells))
    return (patch[0], patch[1]), (cell[0], cell[1])


def motion_targets(clip: Clip, shots: Shots, grid: tuple[int, int]) -> np.ndarray:
    """int64 [G * rows * columns, 3]: of every cell its classes in DONE, WAYS and, of what passes, its number from 0.

    A cell of the language part knows what came before it, not what follows: so it tells what has been done so far.
    Where a part has left the picture, the cell at the edge tells so.
    """
    table = np.tile(np.array([0, 0, OPEN]), (len(shots.pairs), grid[0] * grid[1], 1))
    for row, t, (_, until) in zip(table, shots.middles, shots.pairs, strict=True):
        for part in clip.scene.parts:
            row[cell_at(part, grid), :2] = (DONE.index("lain still"), 0)
        for number, motion in enumerate(clip.motions):
            part, done = motion.at(t), _done(clip, motion, t, until)
            if done != "nothing":
                way = WAYS.index(clip.direction) if done in ("moved", "entered", "left", "passed") else 0
                row[cell_at(part, grid)] = (DONE.index(done), way, number if done == "passed" else OPEN)
    return table.reshape(-1, 3)


def _done(clip: Clip, motion: Motion, t: float, until: float) -> str:
    first, now, part = motion.at(0), motion.at(until), motion.at(t)
    if not is_inside(part):
        return "left" if clip.action == "leave" else "nothing"
    if clip.action in ("enter", "pass"):
        return {"enter": "entered", "pass": "passed"}[clip.action]
    if clip.action == "damage" and now.defect:
        return "got a defect"
    if clip.action == "turn" and abs(now.angle - first.angle) > _TURNED:
        return "turned"
    return "moved" if math.hypot(now.x - first.x, now.y - first.y) > _MOVED else "lain still"


def cell_at(part: Part, grid: tuple[int, int]) -> int:
    """The number of the cell that holds the part's centre, or is nearest to it."""
    row, column = (min(n - 1, max(0, int(v * n))) for n, v in zip(grid, (part.y, part.x), strict=True))
    return row * grid[1] + column


def spots(clip: Clip, part: Part, shots: Shots, grid: tuple[int, int]) -> list[int]:
    """The cells that tell what a part does: where it is seen first and last, and where it has left the picture.

    part: one of ``clip.parts``. Of what passes it is the cell where it is most in the middle.
    """
    cells, motion = grid[0] * grid[1], next((m for m in clip.motions if m.last is part), None)
    states = [part if motion is None else motion.at(t) for t in shots.middles]
    seen = [number for number, state in enumerate(states) if is_inside(state)]
    if not seen:
        return []
    if clip.action == "pass":
        seen = [min(seen, key=lambda number: abs(states[number].x - 0.5))]
    chosen = {seen[0], seen[-1]}
    if clip.action == "leave" and motion is not None:
        chosen.add(len(states) - 1)
    return [number * cells + cell_at(states[number], grid) for number in sorted(chosen)]


def all_spots(clip: Clip, parts: Sequence[Part], shots: Shots, grid: tuple[int, int]) -> np.ndarray:
    """bool [G * rows * columns]: the ``spots`` of these parts."""
    where = np.zeros(len(shots.pairs) * grid[0] * grid[1], bool)
    where[[cell for part in parts for cell in spots(clip, part, shots, grid)]] = True
    return where
