"""In which units a model writes boxes, as data, and from there to [0, 1024] of the picture's width and height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vi.inference.errors import LoadError

FULL_SCALE = 1024


@dataclass(frozen=True)
class Convention:
    """edge: the far edge of both axes in the model's units; None: the picture's own size as the model sees it.
    y_first: boxes are [y1, x1, y2, x2]."""

    edge: int | None
    y_first: bool = False


# By name in run.json. Families: Qwen2-VL and Qwen2.5-VL write resized-pixels; Qwen3-VL, InternVL and GLM-4V
# relative-1000; Gemma and Gemini relative-1000-y-first; PaliGemma location tokens, relative-1024-y-first.
CONVENTIONS: dict[str, Convention] = {
    "relative-1024": Convention(1024),
    "relative-1000": Convention(1000),
    "resized-pixels": Convention(None),
    "relative-1000-y-first": Convention(1000, y_first=True),
    "relative-1024-y-first": Convention(1024, y_first=True),
}


@dataclass(frozen=True)
class BoxUnits:
    """Where a model puts a picture's right and bottom edge (the others are 0), and which axis it names first."""

    width: int = FULL_SCALE
    height: int = FULL_SCALE
    y_first: bool = False

    def to_relative(self, box: Sequence[int]) -> list[int]:
        """The box as [x1, y1, x2, y2] in [0, 1024] of width and height, rounded to the nearest, halves up.

        What lies outside is cut.
        """
        if self.y_first:
            box = (box[1], box[0], box[3], box[2])
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
    kind = CONVENTIONS[convention]
    if kind.edge is not None:
        return BoxUnits(kind.edge, kind.edge, kind.y_first)
    if seen_size is None:
        hint = f"Correct boxes in run.json; it takes {', '.join(CONVENTIONS)}."
        raise LoadError(
            f"The run says that its boxes are {convention}, but its architecture cuts pictures into tiles.", hint
        )
    return BoxUnits(*seen_size, kind.y_first)
