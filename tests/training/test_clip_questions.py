"""Questions about clips: their own answers are right, another clip's are not, and traces name what moves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from training.workbench.clip_grade import is_right
from training.workbench.clip_questions import ABOUT, CLIP_MIX, clip_question
from training.workbench.clips import ACTIONS, random_clip
from training.workbench.parts import COLOURS
from training.workbench.question import Question


def questions(kind: str, count: int = 150) -> list[Question]:
    rng = np.random.default_rng(1)
    clips = (random_clip(9, i, action=ABOUT[kind][i % len(ABOUT[kind])]) for i in range(count))
    return [clip_question(rng, clip, kind, unseen=bool(i % 2)) for i, clip in enumerate(clips)]


@pytest.mark.parametrize("kind", CLIP_MIX)
def test_the_true_answer_is_right_and_others_are_mostly_wrong(kind):
    asked = questions(kind)
    assert all(is_right(question, question.answer) for question in asked)
    assert all(question.type == kind for question in asked)
    wrong = [q for q, other in pairwise(asked) if not is_right(q, other.answer)]
    assert len(wrong) > 0.6 * len(asked)


@pytest.mark.parametrize("kind", CLIP_MIX)
def test_questions_are_functions_of_the_random_numbers(kind):
    assert questions(kind, 20) == questions(kind, 20)


def test_a_question_about_another_action_is_not_asked():
    rng = np.random.default_rng(0)
    for action in ACTIONS:
        clip = random_clip(2, 5, action=action)
        for kind in CLIP_MIX:
            assert (clip_question(rng, clip, kind) is None) == (action not in ABOUT[kind])


@pytest.mark.parametrize(
    ("truth", "right", "wrong"),
    [
        (
            {"direction": "left"},
            ["To the left.", "left", "The red bolt moves to the left."],
            ["Right.", "Left or right."],
        ),
        ({"direction": "up"}, ["Up.", "Upwards."], ["To the left.", "Down.", "Yes."]),
        ({"side": "top"}, ["From the top."], ["From the left.", "From the bottom."]),
        ({"part": ["red", "bolt"]}, ["The red bolt.", "The red bolt enters."], ["The bolt.", "A red nut.", "No part."]),
        ({"part": None}, ["No part enters.", "Nothing."], ["The red bolt."]),
        ({"yes": True}, ["Yes.", "Yes, the red bolt moves."], ["No.", "The red bolt."]),
        ({"seconds": 1.4, "tolerance": 0.5}, ["At 1.5 seconds.", "1 s", "At one second."], ["At 2 seconds.", "Yes."]),
        ({"count": 3}, ["3", "3 parts pass.", "Three."], ["2", "3 or 4", "Some."]),
    ],
)
def test_graders_are_strict(truth, right, wrong):
    question = Question("clip_event", "vqa", "?", "", "", truth)
    assert all(is_right(question, answer) for answer in right)
    assert not any(is_right(question, answer) for answer in wrong)


def test_what_happens_is_right_only_when_all_that_is_told_is_true():
    truth = {
        "event": "enter",
        "part": ["red", "bolt"],
        "direction": "right",
        "side": "left",
        "defect": None,
        "count": 0,
    }
    question = Question("clip_event", "vqa", "What happens?", "", "", truth)
    assert is_right(question, "A red bolt enters from the left.")
    assert is_right(question, "The red bolt enters.")
    for told in ("The red bolt enters from the right.", "The red bolt leaves.", "A bolt enters.", "Nothing happens."):
        assert not is_right(question, told)


def test_a_trace_names_the_part_that_does_something():
    for kind in CLIP_MIX:
        for question in questions(kind, 60):
            assert question.think.startswith("I see ")
            names_one = any(colour in question.think for colour in COLOURS)
            assert names_one or "nothing move" in question.think
