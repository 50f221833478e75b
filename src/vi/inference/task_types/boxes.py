"""In which units a model writes boxes, as data, and from there to [0, 1024] of the picture's width and height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vi.inference.errors import LoadError

FULL_SCALE = 1024
# name in run.json -> the far edge of both axes in the model's units; None: the picture's own size as the model sees it
CONVENTIONS: dict[str, int | None] = {"relative-1024": 1024, "relative-1000": 1000, "resized-pixels": None}


@dataclass(frozen=True)
class BoxUnits:
    """Where a model puts a picture's right and bottom edge (the left and top one are 0)."""

    width: int = FULL_SCALE
    height: int = FULL_SCALE

    def to_relative(self, box: Sequence[int]) -> list[int]:
        """The box in [0, 1024] of width and height, rounded to the nearest, halves up; what lies outside is cut."""
        sides = (self.width, self.height, self.width, self.height)
        return [min(FULL_SCALE, rescale(v, side, FULL_SCALE)) for v, side in zip(box, sides, strict=True)]


RELATIVE = BoxUnits()


def rescale(value: int, old: int, new: int) -> int:
    """A coordinate on a side of ``old`` units on one of ``new``, rounded to the nearest integer, halves up."""
    return (2 * value * new + old) // (2 * old)


def box_units(convention: str, seen_size: tuple[int, int] | None) -> BoxUnits:
    """The units of a convention. seen_size: (width, height) in pixels of the picture after the model's resizing.

    Raises LoadError where the convention needs that size and the architecture has none.
    """
    edge = CONVENTIONS[convention]
    if edge is not None:
        return BoxUnits(edge, edge)
    if seen_size is None:
        hint = f"Correct boxes in run.json; it takes {', '.join(CONVENTIONS)}."
        raise LoadError(
            f"The run says that its boxes are {convention}, but its architecture cuts pictures into tiles.", hint
        )
    return BoxUnits(*seen_size)
