"""The cases of an evaluation: unseen, the same whatever else is asked, a scene of its own for each of a type."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from training.workbench.cases import CLIP_TYPES, TRAINED_SIDE, TYPES, cases, clip_sheets, sheets
from training.workbench.clips import LONGEST, SHORTEST


def test_every_type_has_its_number_each_about_a_scene_of_its_own():
    wanted = dict.fromkeys(TYPES, 12) | {"count": 3}
    found: dict[str, list] = {kind: [] for kind in TYPES}
    for sheet in sheets(4, wanted):
        assert len({(case.number, case.size) for case in sheet}) == 1
        for case in sheet:
            found[case.question.type].append(case)
    assert {kind: len(of_kind) for kind, of_kind in found.items()} == wanted
    for of_kind in found.values():
        assert [case.place for case in of_kind] == list(range(len(of_kind)))
        assert len({case.number for case in of_kind}) == len(of_kind)


@pytest.mark.parametrize("kind", ["count", "relation", "grounding"])
def test_the_cases_of_a_type_are_the_same_whatever_else_is_asked(kind):
    among_others = [case for sheet in sheets(2, dict.fromkeys(TYPES, 8)) for case in sheet]
    assert [case for case in among_others if case.question.type == kind] == cases(kind, 2, 8)
    assert cases(kind, 2, 8) != cases(kind, 3, 8)


def test_nothing_is_asked_where_nothing_is_wanted():
    assert list(sheets(0, {})) == list(sheets(0, {"count": 0})) == list(clip_sheets(0, 0, CLIP_TYPES)) == []


def test_half_the_size_is_half_of_what_is_seen_and_the_same_scene():
    for case in cases("count", 1, 12):
        whole, half = case.picture(), case.halved()
        assert whole.size == case.size
        seen = min(whole.width * whole.height, TRAINED_SIDE**2)
        assert half.width * half.height == pytest.approx(seen / 4, rel=0.05)
        assert half.width / half.height == pytest.approx(whole.width / whole.height, rel=0.05)
        like = np.asarray(whole.resize(half.size).convert("L"), float) - np.asarray(half.convert("L"), float)
        assert np.abs(like).mean() < 25


def test_a_clip_is_asked_whatever_it_has_a_question_for():
    found = list(clip_sheets(3, 20, CLIP_TYPES))
    assert len(found) == 20
    assert [case for sheet in clip_sheets(3, 20, ["clip_event"]) for case in sheet] == [
        case for sheet in found for case in sheet if case.question.type == "clip_event"
    ]
    (case, *_), *_ = islice((sheet for sheet in found if sheet), 1)
    clip = case.picture()
    assert clip.effective_fps == pytest.approx(4)
    assert clip.original_size == case.size
    assert SHORTEST <= clip.duration <= LONGEST + 0.25
