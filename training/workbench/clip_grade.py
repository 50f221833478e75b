"""Is an answer about a clip right? By the truth that ``clip_questions.py`` documents; whatever is told must be true."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from training.workbench.defects import DEFECTS
from training.workbench.parts import COLOURS, KINDS
from training.workbench.question import Question

_NUMBERS = {"no": 0, "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_NUMBER = re.compile(rf"\b(?:{'|'.join(_NUMBERS)}|\d+(?:\.\d+)?)\b", re.IGNORECASE)
_DIRECTIONS = {"left": ("left",), "right": ("right",), "up": ("up", "upwards"), "down": ("down", "downwards")}
_SIDES = {"left": ("left",), "right": ("right",), "top": ("top", "above"), "bottom": ("bottom", "below")}
_EVENTS = {
    "enter": ("enters", "arrives", "comes in"), "leave": ("leaves", "exits", "goes out"), "move": ("moves",),
    "turn": ("turns", "rotates"), "damage": ("gets",), "pass": ("pass", "passes"),
    "still": ("nothing", "lie still", "lies still"),
}  # fmt: skip


def is_right(question: Question, answer: str) -> bool:
    """Whether a text answers a question of any of the types of ``clip_questions.CLIP_MIX``."""
    truth = question.truth
    if "event" in truth:
        return _happened(truth, answer)
    if "yes" in truth:
        return _yes(answer) is truth["yes"]
    if "seconds" in truth:
        told = _number(answer)
        return told is not None and abs(told - truth["seconds"]) <= truth["tolerance"]
    if "count" in truth:
        return _number(answer) == truth["count"]
    if "part" in truth:
        return _part(answer) == truth["part"]
    key, words = ("side", _SIDES) if "side" in truth else ("direction", _DIRECTIONS)
    return _only(words, answer) == truth[key]


def _happened(truth: Mapping[str, Any], answer: str) -> bool:
    """The event and the part are told and true; where from or to, how many and which defect are true if told."""
    event = truth["event"]
    if _only(_EVENTS, answer) != event or _part(answer) != truth["part"]:
        return False
    if event in ("enter", "leave"):
        return _only(_SIDES, answer) in (None, truth["side"])
    if event in ("move", "pass") and _only(_DIRECTIONS, answer) not in (None, truth["direction"]):
        return False
    if event == "pass":
        return _number(answer) == truth["count"]
    return event != "damage" or _only({d: (d,) for d in DEFECTS}, answer) in (None, truth["defect"])


def _only(words: Mapping[str, tuple[str, ...]], answer: str) -> str | None:
    """The one of ``words`` that the answer uses; None where it uses none, an empty text where several."""
    used = [w for w, all_ways in words.items() if re.search(rf"\b(?:{'|'.join(all_ways)})\b", answer, re.IGNORECASE)]
    return used[0] if len(used) == 1 else "" if used else None


def _part(answer: str) -> list[str] | None:
    """[colour, kind] that the answer names; None where it names no part at all, which "no part" is."""
    colour, kind = (_only({word: (f"{word}s?",) for word in words}, answer) for words in (COLOURS, KINDS))
    return None if colour is None and kind is None else [colour or "", kind or ""]


def _number(answer: str) -> float | None:
    """The one number that is told."""
    told = {_NUMBERS[word.lower()] if word.lower() in _NUMBERS else float(word) for word in _NUMBER.findall(answer)}
    return told.pop() if len(told) == 1 else None


def _yes(answer: str) -> bool | None:
    word = re.match(r"\s*(yes|no)\b", answer, re.IGNORECASE)
    return None if word is None else word[1].lower() == "yes"
