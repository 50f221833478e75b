"""Where labels go: inside the picture, near their boxes, off each other where there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Rect = tuple[int, int, int, int]  # left, top, right, bottom; right and bottom are the first pixels outside


def place(size: tuple[int, int], box: Rect, taken: Sequence[Rect], picture: tuple[int, int]) -> Rect:
    """The place for a label of ``size`` (width, height) at ``box``, in pixels of a picture of size ``picture``.

    Tried in order: above the box, below it, inside it, then all over the picture, nearest first. The first place that
    overlaps nothing ``taken`` wins; where none is free, the one that covers least. The label must fit the picture.
    """
    best, least = None, None
    for left, top in (*_beside(size, box, picture), *_anywhere(size, box, picture)):
        rect = (left, top, left + size[0], top + size[1])
        covered = sum(overlap(rect, other) for other in taken)
        if covered == 0:
            return rect
        if least is None or covered < least:
            best, least = rect, covered
    assert best is not None  # there is always a place beside the box
    return best


def overlap(one: Rect, other: Rect) -> int:
    """Pixels that two rectangles share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _beside(size: tuple[int, int], box: Rect, picture: tuple[int, int]) -> Iterator[tuple[int, int]]:
    left, right = box[0], box[2] - size[0]
    above, below = box[1] - size[1], box[3]
    inside_top, inside_bottom = box[1], box[3] - size[1]
    for top in (above, below, inside_top, inside_bottom):
        for edge in (left, right):
            yield _clamp(edge, picture[0] - size[0]), _clamp(top, picture[1] - size[1])


def _anywhere(size: tuple[int, int], box: Rect, picture: tuple[int, int]) -> list[tuple[int, int]]:
    most_left, most_top = picture[0] - size[0], picture[1] - size[1]
    lefts = {_clamp(box[0], most_left), *range(0, most_left + 1, max(size[0] // 2, 1))}
    tops = range(0, most_top + 1, size[1])
    return sorted(
        ((left, top) for left in lefts for top in tops), key=lambda at: (at[0] - box[0]) ** 2 + (at[1] - box[1]) ** 2
    )


def _clamp(value: int, most: int) -> int:
    return max(0, min(value, most))
