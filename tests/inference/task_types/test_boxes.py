"""Boxes from a model's units to [0, 1024] of the picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.completion import Completion, Timings, Usage
from vi.inference.errors import LoadError
from vi.inference.task_types import get_task
from vi.inference.task_types.boxes import CONVENTIONS, BoxUnits, box_units

SIZES = st.integers(28, 4096)


@given(st.lists(st.integers(0, 1024), min_size=4, max_size=4))
def test_relative_1024_is_what_answers_have(box):
    assert box_units("relative-1024", None).to_relative(box) == box


@given(SIZES, SIZES, st.data())
def test_pixels_of_the_resized_picture_are_scaled_side_by_side(width, height, data):
    sides = (width, height, width, height)
    box = [data.draw(st.integers(0, side)) for side in sides]
    told = box_units("resized-pixels", (width, height)).to_relative(box)
    for value, pixel, side in zip(told, box, sides, strict=True):
        assert abs(value - pixel * 1024 / side) <= 0.5


def test_the_far_edge_is_1024_in_every_convention_and_what_lies_outside_is_cut():
    for name, convention in CONVENTIONS.items():
        units = box_units(name, (384, 128))
        far = [convention.edge, convention.edge] if convention.edge else [384, 128]
        assert units.to_relative([0, 0, *far]) == [0, 0, 1024, 1024]
        assert units.to_relative([0, 0, far[0] + 50, far[1] + 50]) == [0, 0, 1024, 1024]


def test_pixels_without_a_size_are_an_error_that_names_the_key():
    with pytest.raises(LoadError, match="boxes in run"):
        box_units("resized-pixels", None)


def test_an_answer_has_relative_boxes_and_raw_output_the_models_own():
    groundings = '[{"phrase":"a red bolt","grounding":[[0,56,112,224]]}]'
    text = f'{{"phrase_grounding":{{"sentence":"a red bolt","groundings":{groundings}}}}}'
    completion = Completion(
        token_ids=[1],
        text=text,
        finish_reason="stop",
        usage=Usage(prompt_tokens=1, completion_tokens=1),
        timings=Timings(prefill=0, time_to_first_token=0, per_token=0, total=0),
    )
    answer = get_task("phrase-grounding").respond(completion, prompt="?", units=BoxUnits(224, 448))
    assert answer.result.groundings[0].grounding == [[0, 128, 512, 512]]
    assert answer.raw_output == text


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4))
def test_a_box_that_names_y_first_is_turned(box):
    y1, x1, y2, x2 = box
    turned = box_units("relative-1000-y-first", None).to_relative(box)
    assert turned == box_units("relative-1000", None).to_relative([x1, y1, x2, y2])
