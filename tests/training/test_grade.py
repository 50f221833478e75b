"""The grader against the scenes' own truth: what the generator says is right, and what contradicts it is wrong."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from training.workbench import grade
from training.workbench.questions import MIX, random_question
from training.workbench.scenes import random_scene


def questions(kind: str, count: int = 300):
    for index in range(count):
        rng = np.random.default_rng(index)
        question = random_question(rng, random_scene(3, index), kind, unseen=bool(index % 2))
        if question is not None:
            yield question


@pytest.mark.parametrize("kind", MIX)
def test_every_true_answer_is_graded_right(kind):
    asked = list(questions(kind))
    assert len(asked) > 50
    wrong = [(q.prompt, q.answer, q.truth) for q in asked if not grade.is_right(q, q.answer)]
    assert wrong == []


@pytest.mark.parametrize("kind", MIX)
def test_the_answer_to_another_scene_is_mostly_graded_wrong(kind):
    asked = list(questions(kind))
    borrowed = [grade.is_right(q, other.answer) for q, other in itertools.pairwise(asked)]
    assert sum(borrowed) / len(borrowed) < 0.75


@pytest.mark.parametrize("kind", MIX)
def test_an_empty_answer_is_wrong(kind):
    asked = [q for q in questions(kind) if q.truth.get("parts") != []]
    assert not any(grade.is_right(q, "") for q in asked)


def test_a_caption_with_one_false_fact_is_wrong():
    truth = {"parts": [["small", "red", "bolt", "left"], ["large", "blue", "nut", "top"]], "surface": "wood"}
    question = type("Q", (), {"type": "caption", "truth": truth})
    assert grade.is_right(question, "A red bolt and a blue nut on wood.")
    assert grade.is_right(question, "A blue nut lies here.")
    for lie in ("A red bolt and a blue gear.", "Two parts on steel: a red bolt and a blue nut.", "Three parts on wood.",
                "2 red bolts.", "A large red bolt is on the left.", "A small red bolt is at the top."):  # fmt: skip
        assert not grade.is_right(question, lie), lie


def test_a_stated_defect_must_be_that_parts():
    truth = {
        "parts": [["small", "red", "bolt", "left"], ["small", "red", "bolt", "left"], ["large", "blue", "nut", "top"]],
        "defects": ["crack", None, "rust"],
        "surface": "wood",
    }
    question = type("Q", (), {"type": "caption", "truth": truth})
    for told in ("A small red bolt is on the left. A small red bolt lies on the left. It has a crack.",
                 "At the top there is a large blue nut. It has rust.", "A blue nut with rust is at the top.",
                 "2 red bolts and a blue nut.", "Three parts on wood: 2 red bolts and a blue nut."):  # fmt: skip
        assert grade.is_right(question, told), told
    for lie in ("A red bolt. It has rust.", "A blue nut with a crack.", "A red bolt. No part is defective.",
                "A crack. A red bolt.", "A red bolt with a crack and a red bolt with a crack."):  # fmt: skip
        assert not grade.is_right(question, lie), lie


@pytest.mark.parametrize(
    ("truth", "right", "wrong"),
    [
        (
            {"colour": "red", "kind": "bolt", "defect": "missing piece"},
            ["The red bolt has a missing piece.", "A missing piece: the red bolt."],
            ["The red bolt has a crack.", "A missing piece.", "The red bolt has no missing piece.", "Yes.", ""],
        ),
        ({"none": True}, ["No part is defective.", "The red bolt has no defect."], ["The red bolt has rust.", "Yes."]),
    ],
)
def test_which_part_is_defective_and_how_are_both_told(truth, right, wrong):
    question = type("Q", (), {"type": "defect_which", "truth": truth})
    assert all(grade.is_right(question, answer) for answer in right)
    assert not any(grade.is_right(question, answer) for answer in wrong)


def test_boxes_match_only_parts_of_their_own_name_once_each():
    truth = [["red bolt", 0, 0, 0.5, 0.5], ["red bolt", 0.5, 0.5, 1, 1]]
    box = [0, 0, 0.5, 0.5]
    assert list(grade.match_boxes(truth, [("red bolt", box), ("red bolt", box)]).values()) == [1.0]
    assert grade.match_boxes(truth, [("blue bolt", box)]) == {}
    assert grade.iou([0, 0, 2, 1], [1, 0, 3, 1]) == pytest.approx(1 / 3)


def test_a_phrase_gives_its_parts_name():
    assert grade.phrase_name("2 red bolts") == "red bolt"
    assert grade.phrase_name("an orange gear") == "orange gear"
    assert grade.phrase_name("the car") == ""
    assert Counter(map(grade.phrase_name, ["a black nut"])) == {"black nut": 1}
