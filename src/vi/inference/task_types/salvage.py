"""Typed answers out of text that does not have the form that was asked for. Nothing is invented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vi.inference.task_types.box_shapes import Found, found_in_text, found_in_value
from vi.inference.task_types.boxes import BoxUnits
from vi.inference.task_types.loose_json import Cut, Loose, find_loose


@dataclass(frozen=True)
class Grounded:
    """A sentence and what was found in it. cut: whether the text ended before it was complete."""

    sentence: str
    found: list[Found]
    cut: bool


def salvaged_text(text: str, outer: str, inner: str) -> tuple[str, bool] | None:
    """The text under ``inner`` of the one JSON object in ``text``, itself or under ``outer``, and whether it was cut.

    None where there is no such object, or more than one.
    """
    loose = find_loose(text)
    if loose is None or not isinstance(loose.value, dict) or "{" in text[loose.end :]:
        return None
    inside = loose.value.get(outer, loose.value)
    inside = inside.get(inner) if isinstance(inside, dict) else inside
    if isinstance(inside, Cut):
        return (inside.text, True) if inside.text.strip() else None
    if isinstance(inside, (int, float)) and not isinstance(inside, bool):
        return str(inside), loose.cut
    return (inside, loose.cut) if isinstance(inside, str) and inside.strip() else None


def salvaged_groundings(text: str, units: BoxUnits) -> Grounded | None:
    """The phrases with their boxes that a text holds, in whatever form; None where it holds none.

    Where the text has no sentence of its own, the phrases in their order stand for it.
    """
    values = list(_values(text))
    found = [each for loose in values for each in found_in_value(loose.value, units)]
    cut = any(loose.cut for loose in values)
    sentence = next((own for loose in values if (own := _sentence(loose.value))), "")
    if cut:
        found = [each for each in found if each.box is not None]
    if not found:
        own, found = found_in_text(text, units)
        sentence = sentence or own
    if not found:
        return None
    around = _around(text, values) if values else ""
    if not sentence and around and all(each.phrase in around for each in found):
        sentence = around
    return Grounded(sentence or ", ".join(dict.fromkeys(each.phrase for each in found)), found, cut)


def _values(text: str) -> Iterator[Loose]:
    """Every JSON value in a text, one after another."""
    start = 0
    while (loose := find_loose(text, start)) is not None:
        yield loose
        start = loose.end


def _sentence(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    own = value.get("sentence")
    own = own.text if isinstance(own, Cut) else own
    if isinstance(own, str) and own.strip():
        return own
    return next((found for inner in value.values() if (found := _sentence(inner))), "")


def _around(text: str, values: list[Loose]) -> str:
    """What stands before and behind the JSON, without code fences."""
    outside = text[: values[0].start] + text[values[-1].end :]
    return " ".join(outside.replace("```json", "").replace("```", "").split())
