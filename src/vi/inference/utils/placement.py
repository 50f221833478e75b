"""Where labels go: inside the picture, near their boxes, off each other where there is room."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Rect = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are the first pixels outside


def place(size: tuple[int, int], box: Rect, taken: Sequence[Rect], picture: tuple[int, int]) -> Rect:
    """The place for a label of ``size`` (width, height) at ``box``, in pixels of a picture of size ``picture``.

    Tried in order: above the box, below it, inside it, then all over the picture, nearest first. The first place that
    overlaps nothing ``taken`` wins; where none is free, the one that covers least. The label must fit the picture.
    """
    most = np.subtract(picture, size)
    for corners in (_beside(size, box), _anywhere(size, box, most)):
        places = np.clip(corners, 0, most)  # [N, 2]
        rects = np.hstack([places, places + size])  # [N, 4]
        covered = overlap(rects, np.reshape(taken, (-1, 4))).sum(axis=1)  # [N]
        best = int(covered.argmin())
        if covered[best] == 0:
            break
    left, top, right, bottom = rects[best].tolist()
    return left, top, right, bottom


def overlap(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pixels that rectangles share: ones [N, 4], others [M, 4], the result [N, M]."""
    ones, others = ones[:, None], others[None]
    sides = np.minimum(ones[..., 2:], others[..., 2:]) - np.maximum(ones[..., :2], others[..., :2])
    return np.maximum(sides, 0).prod(axis=-1)


def _beside(size: tuple[int, int], box: Rect) -> np.ndarray:
    left, right = box[0], box[2] - size[0]
    above, below, inside_top, inside_bottom = box[1] - size[1], box[3], box[1], box[3] - size[1]
    return np.array([(edge, top) for top in (above, below, inside_top, inside_bottom) for edge in (left, right)])


def _anywhere(size: tuple[int, int], box: Rect, most: np.ndarray) -> np.ndarray:
    """Top left corners in rows of labels over the whole picture, nearest to the box first, and those beside it."""
    lefts = [box[0], *range(0, int(most[0]) + 1, max(size[0] // 2, 1))]
    tops = range(0, int(most[1]) + 1, size[1])
    corners = np.array([(left, top) for left in lefts for top in tops])
    nearest_first = np.square(corners - box[:2]).sum(axis=1).argsort(kind="stable")
    return np.vstack([_beside(size, box), corners[nearest_first]])
