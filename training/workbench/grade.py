"""Is an answer right? Text and boxes against the truth of the scene. Graders are strict: a fact stated must be true."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from training.workbench import clip_grade
from training.workbench.clip_questions import CLIP_MIX
from training.workbench.defects import DEFECTS
from training.workbench.parts import COLOURS, KINDS
from training.workbench.question import Question
from training.workbench.tell import SURFACE

_NUMBERS = {"no": 0, "zero": 0, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_NUMBER = "|".join([*_NUMBERS, r"\d+"])
_MENTION = re.compile(
    rf"\b(?:({_NUMBER})\s+)?(?:(small|large)\s+)?({'|'.join(COLOURS)})\s+({'|'.join(KINDS)})s?\b"
    rf"(?:\s+with\s+(?:an?\s+)?(?:{'|'.join(DEFECTS)}))?(?:\s+(?:is|lies))?"
    r"(?:\s+(?:at|on|in)\s+the\s+(top left|top right|bottom left|bottom right|top|bottom|left|right|center))?",
    re.IGNORECASE,
)
_THERE = re.compile(
    r"(?:at|on|in) the (top left|top right|bottom left|bottom right|top|bottom|left|right|center) there is "
    rf"(an?) (small|large)? ?({'|'.join(COLOURS)}) ({'|'.join(KINDS)})",
    re.IGNORECASE,
)
_DEFECT = re.compile(rf"\b(?:{'|'.join(DEFECTS)})", re.IGNORECASE)
_TOTAL = re.compile(rf"\b({_NUMBER})\s+parts?\b(\s+(?:is|are)\s+defective)?", re.IGNORECASE)
Box = Sequence[float]


def is_right(question: Question, answer: str) -> bool:
    """Whether a text answers a question of any type but grounding."""
    if question.type in CLIP_MIX:
        return clip_grade.is_right(question, answer)
    return _GRADERS[question.type](question.truth, answer.strip())


def match_boxes(truth: Sequence[Sequence[Any]], told: Sequence[tuple[str, Box]]) -> dict[int, float]:
    """IoU of each told box that has a part of its own, by its place in ``told``: same colour and kind, IoU at least
    0.5, best pairs first.

    truth: [name, x1, y1, x2, y2] per part; told: (name, box). Both in one unit.
    """
    pairs = sorted(
        ((iou(t[1:], box), i, j) for i, t in enumerate(truth) for j, (name, box) in enumerate(told) if name == t[0]),
        reverse=True,
    )
    free_truth, found = set(range(len(truth))), dict[int, float]()
    for overlap, i, j in pairs:
        if overlap >= 0.5 and i in free_truth and j not in found:
            free_truth.remove(i)
            found[j] = overlap
    return found


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes (x1, y1, x2, y2)."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inside = max(0.0, wide) * max(0.0, high)
    area = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside
    return inside / area if area > 0 else 0.0


def phrase_name(phrase: str) -> str:
    """``2 red bolts`` → ``red bolt``; an empty text where no part is named."""
    found = _MENTION.search(phrase)
    return f"{found[3]} {found[4]}".lower() if found else ""


def _count(truth: dict, answer: str) -> bool:
    found = re.search(rf"\b({_NUMBER.replace('|a|an|', '|')})\b", answer, re.IGNORECASE)
    return found is not None and _number(found[1]) == truth["count"]


def _number(word: str) -> int:
    """What a word before a name counts; a name alone is one."""
    if not word:
        return 1
    return int(word) if word.isdigit() else _NUMBERS[word.lower()]


def _only(words: Sequence[str], answer: str) -> str | None:
    """The one word of ``words`` that the answer uses, if it is one."""
    used = {w for w in words if re.search(rf"\b{w}s?\b", answer, re.IGNORECASE)}
    return used.pop() if len(used) == 1 else None


def _yes(answer: str) -> bool | None:
    word = re.match(r"(yes|no)\b", answer, re.IGNORECASE)
    return None if word is None else word[1].lower() == "yes"


def _relation(truth: dict, answer: str) -> bool:
    if "yes" in truth:
        return _yes(answer) is truth["yes"]
    return [_only(list(COLOURS), answer), _only(KINDS, answer)] == truth["part"]


def _region(truth: dict, answer: str) -> bool:
    text = answer.lower().replace("centre", "center").replace("middle", "center")
    words = [w for w in ("top", "bottom", "left", "right", "center") if re.search(rf"\b{w}\b", text)]
    return " ".join(words) == truth["region"]


def _defect_which(truth: dict, answer: str) -> bool:
    """Part and defect are both told; of nothing wrong, that there is nothing."""
    defect, denied = _only(DEFECTS, answer), re.search(r"\b(?:no|not|nothing|none)\b", answer, re.IGNORECASE)
    if "none" in truth:
        return denied is not None and not any(re.search(rf"\b{word}", answer, re.IGNORECASE) for word in DEFECTS)
    told = [_only(list(COLOURS), answer), _only(KINDS, answer), defect]
    return denied is None and told == [truth["colour"], truth["kind"], truth["defect"]]


def _list(truth: dict, answer: str) -> bool:
    told = sum((Counter({(c.lower(), k.lower()): _number(n)}) for n, _, c, k, _ in _MENTION.findall(answer)), Counter())
    return told == Counter((colour, kind) for _, colour, kind, _ in truth["parts"])


def _caption(truth: dict, answer: str) -> bool:
    """Every stated fact true: parts, their number, size, place and defect, the number of all parts and of those that
    are defective, the surface."""
    defects = truth.get("defects") or [None] * len(truth["parts"])
    left = [[*part, defect or ""] for part, defect in zip(truth["parts"], defects, strict=True)]
    mentions = _mentions(answer)
    for number, *told in sorted(mentions, key=lambda mention: -sum(map(bool, mention))):  # what says most goes first
        for _ in range(_number(number)):
            match = next((part for part in left if _agrees(part, told)), None)
            if match is None:
                return False
            left.remove(match)
    for number, defective in _TOTAL.findall(answer):
        if _number(number) != (sum(map(bool, defects)) if defective else len(defects)):
            return False
    surface = next((name for name in SURFACE if re.search(rf"\b{name}\b", answer, re.IGNORECASE)), None)
    if surface is not None and surface != truth["surface"]:
        return False
    return bool(mentions) or not truth["parts"]


def _mentions(answer: str) -> list[list[str]]:
    """[number, size, colour, kind, place, defect] of each mention of parts, empty where it is not said.

    A defect is that of the part that was mentioned last; before any part it is nobody's, which agrees with nothing.
    """
    found = [(-1, ["0", "", "", "", "", ""])]
    found += [(m.start(), [m[2], m[3], m[4], m[5], m[1], ""]) for m in _THERE.finditer(answer)]
    rest = _THERE.sub(lambda there: " " * len(there[0]), answer)
    found += [(m.start(), [*m.groups(), ""]) for m in _MENTION.finditer(rest)]
    found.sort()
    for defect in _DEFECT.finditer(answer):
        mention = next(mention for start, mention in reversed(found) if start < defect.start())
        mention[-1] = f"{mention[-1]} {defect[0]}".strip()
    nobody, *found = found
    if nobody[1][-1]:
        return [["1", "", "nobody's", "", "", ""]]
    return [[word or "" for word in mention] for _, mention in found]


def _agrees(part: Sequence[str], told: Sequence[str]) -> bool:
    """Whether what is told of size, colour, kind, place and defect is true of the part."""
    return all(word.lower() in ("", fact) for word, fact in zip(told, part, strict=True))


_GRADERS = {
    "count": _count,
    "colour": lambda truth, answer: _only(list(COLOURS), answer) == truth["colour"],
    "kind": lambda truth, answer: _only(KINDS, answer) == truth["kind"],
    "existence": lambda truth, answer: _yes(answer) is truth["yes"],
    "defect": lambda truth, answer: _yes(answer) is truth["yes"],
    "defect_which": _defect_which,
    "size": lambda truth, answer: _only(("small", "large"), answer) == truth["size"],
    "region": _region,
    "relation": _relation,
    "surface": lambda truth, answer: truth["surface"] in answer.lower(),
    "unanswerable": lambda truth, answer: f"no {truth['thing']}" in answer.lower(),
    "list": _list,
    "caption": _caption,
}
