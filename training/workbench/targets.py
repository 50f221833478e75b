"""What sight is to tell of every patch and cell: the part that covers it, or whose centre it holds."""

from __future__ import annotations

import math

import numpy as np

from training.workbench import tell
from training.workbench.defects import DEFECTS
from training.workbench.parts import COLOURS, KINDS, extent
from training.workbench.scenes import SIZES, Part, Scene

_COLOURS, _SIZES = list(COLOURS), list(SIZES)


def dense_targets(
    scene: Scene, grid: tuple[int, int]
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """((classes [N, 4], boxes [N, 4]) per patch, the same per cell [N / 4]), in the model's order of patches."""
    rows, columns = grid
    cell_y, cell_x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    cells = np.stack([(cell_x.ravel() + 0.5) / columns, (cell_y.ravel() + 0.5) / rows], -1)  # [N / 4, 2]
    inside = np.array([(dx, dy) for dy in (-0.25, 0.25) for dx in (-0.25, 0.25)]) / (columns, rows)
    patches = (cells[:, None] + inside[None]).reshape(-1, 2)  # [N, 2]
    patch_of, cell_of = np.full(len(patches), -1), np.full(len(cells), -1)
    for index, part in enumerate(scene.parts):  # later parts lie on top
        patch_of[_covers(scene, part, patches)] = index
        cell_of[min(rows - 1, int(part.y * rows)) * columns + min(columns - 1, int(part.x * columns))] = index
    return _targets(scene, patches, patch_of), _targets(scene, cells, cell_of)


def _covers(scene: Scene, part: Part, points: np.ndarray) -> np.ndarray:
    """Which points [N, 2] the part's own turned rectangle holds."""
    stretch = math.sqrt(scene.aspect)
    offset = (points - (part.x, part.y)) * (stretch, 1 / stretch / scene.tilt) / part.radius
    cos, sin = math.cos(part.angle), math.sin(part.angle)
    along, across = offset[:, 0] * cos + offset[:, 1] * sin, -offset[:, 0] * sin + offset[:, 1] * cos
    left, top, right, bottom = extent(part.kind, 0.0)
    slack = 0.25 / (part.radius * 14)  # a quarter of a patch
    return (along > left - slack) & (along < right + slack) & (across > top - slack) & (across < bottom + slack)


def _targets(scene: Scene, points: np.ndarray, part_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turns = {id(part): turn for turn, group in enumerate(tell.groups(scene.parts)) for part in group}
    table = [_traits(scene, part, turns[id(part)]) for part in scene.parts]
    classes = np.array([*table, (-1,) * 7], np.int64)[part_of]  # -1 takes the last row
    boxes = np.array([*(scene.box(p) for p in scene.parts), (0, 0, 0, 0)], np.float32)[part_of]
    return classes, ((boxes - np.tile(points, 2)) * 8).astype(np.float32)


def _traits(scene: Scene, part: Part, turn: int) -> tuple[int, ...]:
    return (
        *(KINDS.index(part.kind), _COLOURS.index(part.colour), _SIZES.index(part.size), turn),
        *(min(2, int(part.x * 3)), min(2, int(part.y * 3))),
        DEFECTS.index(part.defect) + 1 if part.defect else 0,
    )
