"""What unconstrained models write, read into typed answers; nothing in them is invented."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.task_types import TASKS
from vi.inference.task_types.boxes import BoxUnits
from vi.inference.task_types.loose_json import Cut, find_loose

FULL = {
    "phrase_grounding": {"sentence": "a cat, a dog", "groundings": [{"phrase": "a cat", "grounding": [[1, 2, 3, 4]]}]}
}
CAT, DOG = ("a cat", [[10, 20, 30, 40]]), ("a dog", [[50, 60, 70, 80]])

# text, answer, truncated
ANSWERS = [
    ('{"vqa": {"answer": "red"}}', "red", False),
    ('```json\n{"vqa": {"answer": "red"}}\n```', "red", False),
    ('```\n{"answer": "red"}\n```', "red", False),
    ("{'vqa': {'answer': 'red'}}", "red", False),
    ("{'answer': 'it's red'}", "it's red", False),
    ('{"answer": "red",}', "red", False),
    ('{"vqa": {"answer": "red",},}', "red", False),
    ('{"vqa": "red"}', "red", False),
    ('{"answer": 3}', "3", False),
    ('{"answer": 2.5}', "2.5", False),
    ('Sure! Here is the answer:\n{"vqa": {"answer": "red"}}\nLet me know.', "red", False),
    ('{vqa: {answer: "red"}}', "red", False),
    ('{"vqa":{"answer":"red","confidence":0.9}}', "red", False),
    ('{"reasoning":"it looks red","answer":"red"}', "red", False),
    ("{\u201canswer\u201d: \u201cred\u201d}", "red", False),
    ('{"vqa": {"answer": "a red bo', "a red bo", True),
    ('{"vqa": {"answer": "red"', "red", True),
    ('{"vqa": {"answer": "red"}', "red", True),
    ('```json\n{"vqa": {"answer": "the sign says \\"STO', 'the sign says "STO', True),
    ('{"answer": "two\nlines"}', "two\nlines", False),
    ('// the answer\n{"answer": "red" /* sure */}', "red", False),
    ('{"answer": "caf\\u00e9 \\ud83d\\ude00"}', "caf\u00e9 \U0001f600", False),
    ('<answer>{"answer": "red"}</answer>', "red", False),
    ("<think>{hm}</think><answer>{'answer': 'red'}</answer>", "red", False),
]
NO_ANSWERS = [
    "It is red.",
    "",
    "{",
    '{"vqa"',
    '{"vqa":{"answer":',
    '{"answer": null}',
    '{"a":1}',
    "[1,2]",
    '{"answer":"a"} {"answer":"b"}',
]

# text, phrases with boxes in [0, 1024] of a picture of 1024 by 1024 units, truncated
GROUNDINGS = [
    ('[{"bbox_2d": [10, 20, 30, 40], "label": "a cat"}]', [CAT], False),
    (
        '```json\n[\n\t{"bbox_2d": [10, 20, 30, 40], "label": "a cat"},\n'
        '\t{"bbox_2d": [50, 60, 70, 80], "label": "a dog"}\n]\n```',
        [CAT, DOG],
        False,
    ),
    ('{"bbox_2d": [10, 20, 30, 40], "label": "a cat"}', [CAT], False),
    (
        '{"bbox_2d": [10, 20, 30, 40], "label": "a cat"}\n{"bbox_2d": [50, 60, 70, 80], "label": "a dog"}',
        [CAT, DOG],
        False,
    ),
    ('[{"bbox_2d": [10, 20, 30, 40], "label": "a cat"}, {"bbox_2d": [50, 60, 70', [CAT], True),
    ('[{"bbox_2d": [10, 20, 30, 40], "label": "a cat"}, {"bbox_2d": [50, 60, 70, 80], "label": "a d', [CAT], True),
    ('[{"bbox_2d": [10, 20, 30, 40], "label": "a cat"}, ', [CAT], True),
    ('[{"bbox_2d": [10, 20, 30, 40], "label": "a cat"},]', [CAT], False),
    ("[{'bbox_2d': [10, 20, 30, 40], 'label': 'a cat'}]", [CAT], False),
    ('[{"label": "a cat", "bbox": [10.2, 19.6, 30.4, 39.9]}]', [CAT], False),
    ('[{"label": "a cat", "bbox": {"x1": 10, "y1": 20, "x2": 30, "y2": 40}}]', [CAT], False),
    ('[{"label": "a cat", "x1": 10, "y1": 20, "x2": 30, "y2": 40}]', [CAT], False),
    ('[{"name": "a cat", "xmin": 10, "ymin": 20, "xmax": 30, "ymax": 40}]', [CAT], False),
    ('[{"name": "a cat", "x_min": 10, "y_min": 20, "x_max": 30, "y_max": 40}]', [CAT], False),
    ('[{"object": "a cat", "box": {"left": 10, "top": 20, "right": 30, "bottom": 40}}]', [CAT], False),
    ('{"objects": [{"label": "a cat", "bbox": [10, 20, 30, 40]}]}', [CAT], False),
    ('{"a cat": [10, 20, 30, 40], "a dog": [50, 60, 70, 80]}', [CAT, DOG], False),
    ('{"a cat": [[10, 20, 30, 40]], "a dog": [[50, 60, 70, 80]]}', [CAT, DOG], False),
    ('[{"label": "a cat", "bbox": [[10, 20], [30, 40]]}]', [CAT], False),
    (
        '[{"label": "a cat", "boxes": [[10, 20, 30, 40], [1, 2, 3, 4]]}]',
        [("a cat", [[10, 20, 30, 40], [1, 2, 3, 4]])],
        False,
    ),
    (
        '[{"label": "a cat", "bbox": [10, 20, 30, 40, 1, 2, 3, 4]}]',
        [("a cat", [[10, 20, 30, 40], [1, 2, 3, 4]])],
        False,
    ),
    ('[{"label": "a cat", "bbox": "10, 20, 30, 40"}]', [CAT], False),
    ('[{"label": "a cat", "bbox": [0.25, 0.5, 0.75, 1.0]}]', [("a cat", [[256, 512, 768, 1024]])], False),
    ('[{"label": "a cat", "bbox": [-3, 20, 30, 4000]}]', [("a cat", [[0, 20, 30, 1024]])], False),
    ('[{"point_2d": [10, 20], "label": "a cat"}]', [("a cat", [[10, 20, 10, 20]])], False),
    ('[{"label": "a cat", "points": [{"x": 10, "y": 20}]}]', [("a cat", [[10, 20, 10, 20]])], False),
    ("<ref>a cat</ref><box>(10,20),(30,40)</box>", [CAT], False),
    ("<|object_ref_start|>a cat<|object_ref_end|><|box_start|>(10,20),(30,40)<|box_end|>", [CAT], False),
    ("<ref>a cat</ref><box>[[10, 20, 30, 40]]</box><ref>a dog</ref><box>[[50, 60, 70, 80]]</box>", [CAT, DOG], False),
    ("a cat: [10, 20, 30, 40]\na dog: [50, 60, 70, 80]", [CAT, DOG], False),
    ("- a cat: (10, 20), (30, 40)\n- a dog: (50, 60), (70, 80)", [CAT, DOG], False),
    ('I see a cat and a dog.\n[{"label": "a cat", "bbox": [10, 20, 30, 40]}]', [CAT], False),
    (json.dumps(FULL), [("a cat", [[1, 2, 3, 4]])], False),
    (json.dumps(FULL["phrase_grounding"]), [("a cat", [[1, 2, 3, 4]])], False),
    (json.dumps(FULL, indent=2).replace('"', "'"), [("a cat", [[1, 2, 3, 4]])], False),
    (json.dumps(FULL)[:-3], [("a cat", [[1, 2, 3, 4]])], True),
    (json.dumps(FULL)[:-2].replace("]]}", "],[7"), [("a cat", [[1, 2, 3, 4]])], True),
]
NO_GROUNDINGS = [
    "There is no cat.",
    "[]",
    "{}",
    "[10, 20, 30, 40]",
    '[{"label": "a cat"}]',
    '[{"bbox_2d": [10, 20, 30, 40]}]',
    '[{"bbox_2d": [10, 20, 3',
]


@pytest.mark.parametrize(("text", "answer", "truncated"), ANSWERS)
def test_an_answer_is_read_from_what_models_write(text, answer, truncated):
    reading = TASKS["vqa"].parse(text)
    assert (reading.result.answer, reading.truncated) == (answer, truncated)


@pytest.mark.parametrize("text", NO_ANSWERS)
def test_where_no_answer_is_the_text_stays(text):
    assert TASKS["vqa"].parse(text).result == text


@pytest.mark.parametrize(("text", "phrases", "truncated"), GROUNDINGS)
def test_boxes_are_read_from_what_models_write(text, phrases, truncated):
    reading = TASKS["phrase-grounding"].parse(text)
    assert [(each.phrase, each.grounding) for each in reading.result.groundings] == phrases
    assert reading.truncated == truncated
    assert all(each.phrase in reading.result.sentence for each in reading.result.groundings)


@pytest.mark.parametrize("text", NO_GROUNDINGS)
def test_where_no_box_is_the_text_stays(text):
    assert TASKS["phrase-grounding"].parse(text).result == text


@pytest.mark.parametrize(
    "text",
    ["<loc0250><loc0125><loc0750><loc0500> a cat", '[{"box_2d": [250, 125, 750, 500], "label": "a cat"}]',
     '[{"label": "a cat", "x1": 125, "y1": 250, "x2": 500, "y2": 750}]'],
)  # fmt: skip
def test_a_model_that_names_y_first_is_turned(text):
    reading = TASKS["phrase-grounding"].parse(text, units=BoxUnits(1000, 1000, y_first=True))
    assert reading.result.groundings[0].grounding == [[128, 256, 512, 768]]


def test_a_sentence_around_its_tags_is_kept():
    reading = TASKS["phrase-grounding"].parse("The <ref>cat</ref><box>(10,20),(30,40)</box> sleeps.")
    assert reading.result.sentence == "The cat sleeps."


def test_a_point_is_said_to_be_one():
    assert "point" in TASKS["phrase-grounding"].parse('[{"point_2d": [10, 20], "label": "a cat"}]').warnings[0]


def test_boxes_of_large_pictures_are_read_in_their_units():
    text = '[{"bbox_2d": [700, 0, 1400, 700], "label": "a cat"}]'
    reading = TASKS["phrase-grounding"].parse(text, units=BoxUnits(1400, 700))
    assert reading.result.groundings[0].grounding == [[512, 0, 1024, 1024]]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(value=VALUES, fenced=st.booleans())
def test_sound_json_is_read_as_json_reads_it(value, fenced):
    value = [value, 1]
    text = json.dumps(value, ensure_ascii=False)
    loose = find_loose(f"Here:\n```json\n{text}\n```" if fenced else text)
    assert loose.value == value
    assert not loose.cut


@given(value=VALUES, data=st.data())
def test_a_cut_text_gives_a_beginning_of_the_whole(value, data):
    whole = [value, value]
    text = json.dumps(whole)
    loose = find_loose(text[: data.draw(st.integers(0, len(text) - 1))])
    assert loose is None or (loose.cut and begins(loose.value, whole)) or loose.start > 0


def begins(part, whole):
    if isinstance(part, Cut):
        return isinstance(whole, str)
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) <= len(whole) and all(map(begins, part, whole))
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(begins(part[key], whole[key]) for key in part)
    return part == whole
