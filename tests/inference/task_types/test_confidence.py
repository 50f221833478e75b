"""Confidence from tokens' probabilities, and the forms in which boxes leave."""

from __future__ import annotations

import builtins
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.completion import Completion, Timings, TokenLogprob, Usage
from vi.inference.errors import ConfigError
from vi.inference.task_types import TASKS
from vi.inference.task_types.confidence import token_spans

TEXT = (
    '{"phrase_grounding":{"sentence":"a red bolt, a nut","groundings":[{"phrase":"a red bolt","grounding":'
    '[[10,20,300,400],[1,2,3,4]]},{"phrase":"a nut","grounding":[[512,0,1024,1024]]}]}}'
)


def token(text, probability=1.0, forced=False):
    return TokenLogprob(token_id=1, text=text, logprob=math.log(probability), forced=forced)


def answer(tokens, text=TEXT):
    completion = Completion(
        token_ids=[1] * len(tokens),
        text=text,
        finish_reason="stop",
        usage=Usage(prompt_tokens=1, completion_tokens=1),
        timings=Timings(prefill=0, time_to_first_token=0, per_token=0, total=0),
        logprobs=tokens,
    )
    return TASKS["phrase-grounding"].respond(completion, prompt="?")


def cut(text, probability_of):
    return [token(piece, probability_of(piece)) for piece in re.findall(r"\d|[^\d]{1,4}", text)]


def test_a_doubtful_number_lowers_its_box_and_no_other():
    sure = answer(cut(TEXT, lambda piece: 0.9))
    doubtful = answer(cut(TEXT, lambda piece: 0.1 if piece == "5" else 0.9))  # only in 512
    assert [value for each in sure.confidences for value in each.boxes] == pytest.approx(
        [0.9**2] * 3
    )  # its own and its phrase's
    first, second = doubtful.confidences
    assert first.boxes == pytest.approx([0.9**2, 0.9**2])
    assert second.boxes[0] < 0.7
    assert (first.phrase, second.phrase) == pytest.approx((0.9, 0.9))


def test_a_doubtful_phrase_lowers_its_boxes_and_no_others():
    first, second = answer(cut(TEXT, lambda piece: 0.9)).confidences
    doubted = answer([token(piece, 0.2 if "nut" in piece else 0.9) for piece in re.findall(r"nut|\d|[^\d]", TEXT)])
    assert doubted.confidences[0].boxes == pytest.approx(first.boxes)
    assert doubted.confidences[1].boxes[0] == pytest.approx(doubted.confidences[1].phrase * 0.9)
    assert doubted.confidences[1].boxes[0] < second.boxes[0]


def test_tokens_that_were_forced_say_nothing():
    tokens = [token(piece, 0.001, forced=not piece.isdigit()) for piece in re.findall(r"\d|[^\d]", TEXT)]
    assert answer(tokens).confidences[0].phrase == 1.0
    assert answer(tokens).confidences[0].boxes[0] == pytest.approx(0.001)


def test_without_logprobs_there_is_no_confidence():
    assert answer([], TEXT).confidences is None


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=20))
def test_spans_of_whole_texts_join_to_the_text(pieces):
    pieces = [piece.replace("\ufffd", "?") for piece in pieces]
    text = "".join(pieces)
    spans = token_spans(text, [token(piece) for piece in pieces])
    assert [text[start:end] for start, end in spans] == pieces


def test_parts_of_a_character_have_it_together():
    spans = token_spans("a😀b", [token("a"), token("\ufffd"), token("\ufffd"), token("b")])
    assert spans == [(0, 1), (1, 2), (1, 2), (2, 3)]


def test_coco_has_pixels_and_a_score_for_each_box():
    coco = answer(cut(TEXT, lambda piece: 0.5)).to_coco(2048, 1024, image_id=7)
    assert coco["images"] == [{"id": 7, "width": 2048, "height": 1024}]
    assert [category["name"] for category in coco["categories"]] == ["a red bolt", "a nut"]
    first = coco["annotations"][0]
    assert (first["bbox"], first["area"], first["category_id"]) == ([20, 20, 580, 380], 580 * 380, 1)
    assert first["score"] == pytest.approx(0.25)
    assert [annotation["id"] for annotation in coco["annotations"]] == [1, 2, 3]


def test_supervision_that_is_not_installed_is_named(monkeypatch):
    found = builtins.__import__

    def without(name, *rest):
        if name == "supervision":
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match="pip install supervision"):
        answer([]).to_supervision(10, 10)


def test_detections_have_a_row_for_each_box():
    pytest.importorskip("supervision")
    detections = answer(cut(TEXT, lambda piece: 0.5)).to_supervision(1024, 1024)
    assert detections.xyxy.tolist() == [[10, 20, 300, 400], [1, 2, 3, 4], [512, 0, 1024, 1024]]
    assert detections.class_id.tolist() == [0, 0, 1]
    assert detections.confidence == pytest.approx([0.25] * 3)
    assert detections.data["class_name"].tolist() == ["a red bolt", "a red bolt", "a nut"]


def test_a_response_with_confidences_survives_json():
    response = answer(cut(TEXT, lambda piece: 0.5))
    assert type(response).model_validate_json(response.model_dump_json()) == response
