"""Where tokens look: at the parts that they are about."""

from __future__ import annotations

from dataclasses import replace

import pytest
from training.workbench.looks import Gaze
from training.workbench.parts import COLOURS, KINDS
from training.workbench.scenes import random_scene

CELLS, SEEN = (4, 4), (128, 128)


@pytest.fixture
def scene():
    """A red bolt to the left of a blue nut, and another red bolt to the right of it."""
    bare = random_scene(3, 1, count=3)
    first, second, third = bare.parts
    return replace(
        bare,
        parts=(
            replace(first, kind="bolt", colour="red", x=0.1, y=0.1),
            replace(second, kind="nut", colour="blue", x=0.4, y=0.6),
            replace(third, kind="bolt", colour="red", x=0.9, y=0.9),
        ),
    )


def letters(text):
    return [(i, i + 1) for i in range(len(text))]


def test_a_name_looks_at_all_that_have_it(scene):
    text = "2 red bolts and a blue nut."
    looks = Gaze(scene, CELLS, SEEN).of_answer(text, "", letters(text))
    assert looks[text.index("red")].nonzero()[0].tolist() == [0, 15]
    assert looks[text.index("nut")].nonzero()[0].tolist() == [9]
    assert not looks[text.index("and")].any()


@pytest.mark.parametrize(
    "told", ["a blue nut with a crack on the left", "The blue nut has rust", "A blue nut is on the left. It has rust"]
)
def test_a_defect_and_a_place_look_at_the_part_that_has_them(scene, told):
    text = f"A red bolt. {told}. A red bolt."
    looks = Gaze(scene, CELLS, SEEN).of_answer(text, "", letters(text))
    start = text.index(told)
    assert (looks[start : start + len(told)].argmax(1) == 9).all()
    assert (looks[start : start + len(told)].sum(1) == 1).all()


def test_a_box_looks_at_the_middle_of_its_part_wherever_its_own_middle_is(scene):
    gaze = Gaze(scene, CELLS, SEEN)
    for part, cell in zip(scene.parts, (0, 9, 15), strict=True):
        edges = [round(edge * side) for edge, side in zip(scene.box(part), (*SEEN, *SEEN), strict=True)]
        text = "[{},{},{},{}]".format(*edges)
        assert gaze.of_answer(text, "", letters(text))[3].nonzero()[0].tolist() == [cell]


def test_in_a_list_every_token_of_a_name_or_box_has_its_turn(scene):
    text = "A blue nut and 2 red bolts. a blue nut [[5,6,7,8]] 2 red bolts [[1,2,3,4],[9,9,9,9]]"
    turns = Gaze(scene, CELLS, SEEN).turns(text, letters(text))
    assert {turns[text.index(word)] for word in ("blue", "nut", "[5,")} == {1}
    assert {turns[text.index(word)] for word in ("red", "bolts", "[1,", "[9,")} == {0}
    assert turns[text.index("and")] == -1


@pytest.mark.parametrize("text", ["There is a blue nut.", "No, there is no green gear. I see no green gear."])
def test_what_is_named_alone_or_not_there_has_no_turn(scene, text):
    assert set(Gaze(scene, CELLS, SEEN).turns(text, letters(text))) == {-1}


def test_every_scene_and_kind_of_answer_has_its_looks():
    for index in range(30):
        drawn = random_scene(5, index)
        text = "".join(f"a {colour} {kind}, " for colour in COLOURS for kind in KINDS)
        turns = Gaze(drawn, CELLS, SEEN).turns(text, letters(text))
        assert set(turns) - {-1} == set(range(len({(p.colour, p.kind) for p in drawn.parts})))
