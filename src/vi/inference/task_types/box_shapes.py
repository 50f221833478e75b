"""Boxes as models write them: lists flat or nested, named edges, points, tags and location tokens."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vi.inference.task_types.boxes import BoxUnits

LABELS = ("phrase", "label", "name", "object", "text_label", "class", "category", "description", "text", "caption")
BOXES = ("grounding", "bbox_2d", "bbox", "box_2d", "box", "boxes", "bboxes", "bounding_box", "coordinates", "bbox_list")
POINTS = ("point_2d", "point", "points")
EDGES = (("x1", "y1", "x2", "y2"), ("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"),
         ("left", "top", "right", "bottom"))  # fmt: skip
_NUMBERS = (
    r"\s*\(?\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\)?\s*,\s*\(?\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\)?\s*"
)
_FOUR = re.compile(rf"[\[(]?[\[(]{_NUMBERS}[\])]+")
_TAGGED = re.compile(
    r"(?:<ref>|<\|object_ref_start\|>)(.*?)(?:</ref>|<\|object_ref_end\|>)"
    r"((?:\s*(?:<box>|<\|box_start\|>).*?(?:</box>|<\|box_end\|>))+)",
    re.DOTALL,
)
_LOCATED = re.compile(r"((?:<loc\d{4}>){4})\s*([^<;\n]*)")
_LABEL_FIRST = re.compile(r"(?m)^\s*(?:[-*\d.]+\s+)?[\"'*]*([^\W\d][^:\n\"'*\[\]()]*?)[\"'*]*\s*[:\-]\s*(?=[\[(])")


@dataclass(frozen=True)
class Found:
    """A phrase and one box, [x1, y1, x2, y2] or [y1, x1, y2, x2] as ``units`` say, in the model's units."""

    phrase: str
    box: tuple[int, int, int, int] | None
    is_point: bool = False


def found_in_value(value: Any, units: BoxUnits, phrase: str = "") -> Iterator[Found]:
    """The phrases and boxes of a value read from JSON, in their order."""
    if isinstance(value, list):
        for item in value:
            yield from found_in_value(item, units, phrase)
        return
    if not isinstance(value, dict):
        return
    label = next((value[key] for key in LABELS if isinstance(value.get(key), str) and value[key].strip()), phrase)
    boxes = [box for key in BOXES if key in value for box in _boxes(value[key], units)]
    boxes += [box for box in [_named(value, units)] if box]
    points = [point for key in POINTS if key in value for point in _points(value[key])]
    for box in boxes if label else ():
        yield Found(label, box)
    for x, y in points if label else ():
        yield Found(label, _ordered(x, y, x, y, units), is_point=True)
    if boxes or points:
        return
    if label and any(value.get(key) == [] for key in BOXES):
        yield Found(label, None)
    for key, inner in value.items():
        if not isinstance(inner, (dict, list)):
            continue
        inside = list(found_in_value(inner, units, phrase))
        if not inside and key not in LABELS + BOXES + POINTS:  # {"cat": [x1, y1, x2, y2]}
            inside = [Found(key, box) for box in _boxes(inner, units)]
        yield from inside


def found_in_text(text: str, units: BoxUnits) -> tuple[str, list[Found]]:
    """The phrases and boxes of a text that is not JSON, and the text without the marks of its boxes."""
    tagged = [
        Found(match[1].strip(), box)
        for match in _TAGGED.finditer(text)
        for four in _FOUR.finditer(match[2])
        if match[1].strip() and (box := _box([float(n) for n in four.groups()], units))
    ]
    if tagged:
        return _TAGGED.sub(lambda match: match[1], text).strip(), tagged
    located = []
    for match in _LOCATED.finditer(text):
        y1, x1, y2, x2 = (int(n) for n in re.findall(r"\d{4}", match[1]))
        if match[2].strip():
            located.append(Found(match[2].strip(), _ordered(x1, y1, x2, y2, units)))
    if located:
        return "", located
    listed = []
    for match in _LABEL_FIRST.finditer(text):
        four = _FOUR.match(text, match.end())
        box = _box([float(n) for n in four.groups()], units) if four else None
        if box:
            listed.append(Found(match[1].strip(), box))
    return "", listed


def _boxes(value: Any, units: BoxUnits) -> list[tuple[int, int, int, int]]:
    """Boxes of a list of four numbers, of such lists, of a list of four times as many, or of named edges."""
    if isinstance(value, dict):
        return [box for box in [_named(value, units)] if box]
    if isinstance(value, str):
        return [box for four in _FOUR.finditer(f"[{value}]") if (box := _box([float(n) for n in four.groups()], units))]
    if not isinstance(value, list):
        return []
    if value and all(_is_number(item) for item in value):
        fours = [value[i : i + 4] for i in range(0, len(value), 4)] if len(value) % 4 == 0 else []
        return [box for four in fours if (box := _box(four, units))]
    if len(value) == 2 and all(isinstance(item, list) and len(item) == 2 for item in value):
        corners = [*value[0], *value[1]]  # [[x1, y1], [x2, y2]]
        return [box for box in [_box(corners, units)] if box] if all(map(_is_number, corners)) else []
    return [box for item in value for box in _boxes(item, units)]


def _named(value: dict[str, Any], units: BoxUnits) -> tuple[int, int, int, int] | None:
    for names in EDGES:
        if all(_is_number(value.get(name)) for name in names):
            four = _whole([value[name] for name in names], units, y_first=False)
            return _ordered(*four, units) if four else None
    return None


def _points(value: Any) -> Iterator[tuple[int, int]]:
    if isinstance(value, dict) and _is_number(value.get("x")) and _is_number(value.get("y")):
        value = [value["x"], value["y"]]
    if not isinstance(value, list):
        return
    if len(value) == 2 and all(map(_is_number, value)):
        yield round(value[0]), round(value[1])
        return
    for item in value:
        if isinstance(item, (list, dict)):
            yield from _points(item)


def _box(four: list[float], units: BoxUnits) -> tuple[int, int, int, int] | None:
    return _whole(four, units, units.y_first)


def _whole(four: list[float], units: BoxUnits, y_first: bool) -> tuple[int, int, int, int] | None:
    """Four integers in the model's units, those below 0 at 0; fractions of the picture's sides become units."""
    if not all(math.isfinite(value) for value in four):
        return None
    if max(four) <= 1 and any(isinstance(value, float) and not value.is_integer() for value in four):
        sides = (units.height, units.width) if y_first else (units.width, units.height)
        four = [value * sides[i % 2] for i, value in enumerate(four)]
    first, second, third, fourth = (max(0, math.floor(value + 0.5)) for value in four)
    return first, second, third, fourth


def _ordered(x1: int, y1: int, x2: int, y2: int, units: BoxUnits) -> tuple[int, int, int, int]:
    return (y1, x1, y2, x2) if units.y_first else (x1, y1, x2, y2)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
