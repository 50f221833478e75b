"""Questions about defects: true of the scene, and not to be guessed from anything but the defect."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from training.workbench import tell
from training.workbench.grade import is_right
from training.workbench.looks import Gaze
from training.workbench.questions import grounding, random_question
from training.workbench.scenes import random_scene
from training.workbench.tell import DEFECT


def asked(kind: str, count: int = 4000):
    for index in range(count):
        scene = random_scene(6, index)
        question = random_question(np.random.default_rng(index), scene, kind, unseen=bool(index % 2))
        if question is not None:
            yield scene, question


@pytest.fixture(scope="module")
def yes_no():
    return list(asked("defect"))


@pytest.fixture(scope="module")
def which():
    return list(asked("defect_which"))


def test_yes_and_no_come_equally_often_whatever_the_number_of_parts(yes_no):
    said = defaultdict(Counter)
    for scene, question in yes_no:
        said[len(scene.parts)][question.truth["yes"]] += 1
    assert not said[0]
    for parts in range(1, 7):
        yes, total = said[parts][True], said[parts].total()
        assert abs(yes - total / 2) < 3 * total**0.5 / 2 + 0.02 * total, (parts, said[parts])


def test_yes_is_said_where_a_part_is_defective(yes_no):
    for scene, question in yes_no:
        named = [p for p in scene.parts if p.kind in question.prompt.lower()]
        named = [p for p in named if p.colour in question.prompt.lower()] or named or scene.parts
        assert question.truth["yes"] == any(p.defect for p in named), question
        assert question.answer.startswith("Yes" if question.truth["yes"] else "No")


def test_what_is_wrong_is_what_the_part_has(which):
    for scene, question in which:
        truth = question.truth
        if "none" in truth:
            assert " no " in question.answer.lower() or question.answer.startswith("No ")
            continue
        part = next(p for p in scene.parts if (p.colour, p.kind) == (truth["colour"], truth["kind"]))
        assert part.defect == truth["defect"]
        assert DEFECT[part.defect] in question.answer.lower()
        assert f"{part.colour} {part.kind}" in question.answer


def test_nothing_is_wrong_one_time_in_four(which):
    nothing = sum("none" in question.truth for _, question in which)
    assert nothing / len(which) == pytest.approx(0.25, abs=0.03)


def test_every_defect_is_asked_about_as_often(which):
    found = Counter(question.truth.get("defect") for _, question in which)
    assert all(found[d] == pytest.approx(len(which) * 0.75 / 4, rel=0.2) for d in DEFECT)


def test_a_trace_looks_at_the_part_that_it_names(which):
    for scene, question in which[:300]:
        if "none" not in question.truth:
            truth = question.truth
            looks = Gaze(scene, (7, 7), (224, 224)).of_answer("Yes.", question.think, [(0, 4)])
            part = next(p for p in scene.parts if (p.colour, p.kind) == (truth["colour"], truth["kind"]))
            assert looks[0].nonzero()[0].tolist() == [int(part.y * 7) * 7 + int(part.x * 7)]
            assert f"with {DEFECT[part.defect]} " in question.think


def test_what_is_grounded_as_damaged_is_what_has_a_defect():
    asked = 0
    for index in range(1500):
        scene = random_scene(8, index)
        question = grounding(np.random.default_rng(index), scene)
        sentence, phrases = question.answer
        if sentence.startswith(("Defective", "I see damage", "No part is")):
            asked += 1
            wrong = sorted(scene.box(part) for part in scene.parts if part.defect)
            assert sorted(box for _, boxes in phrases for box in boxes) == wrong
            assert sorted(tuple(box) for _, *box in question.truth["boxes"]) == wrong
            assert all(phrase in sentence for phrase, _ in phrases)
    assert asked > 50


def test_an_inspection_is_true_of_its_scene_and_not_of_the_scene_mended():
    for index in range(300):
        scene, rng = random_scene(12, index), np.random.default_rng(index)
        report = tell.inspection(rng, scene)
        question = random_question(rng, scene, "caption")
        assert is_right(question, report), report
        mended = replace(scene, parts=tuple(replace(p, defect=None) for p in scene.parts))
        if mended != scene:
            assert not is_right(random_question(rng, mended, "caption"), report)
            assert not is_right(question, tell.inspection(rng, mended))
