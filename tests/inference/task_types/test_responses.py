"""Answers: what they carry, how they read, and that JSON gives them back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from vi.inference.completion import Timings, TokenAlternative, TokenLogprob, Usage
from vi.inference.errors import ConfigError
from vi.inference.generation_config import Setting
from vi.inference.task_types import (
    Caption,
    FreeformResponse,
    GenericResponse,
    GroundedPhrase,
    PhraseGrounding,
    PhraseGroundingResponse,
    PredictionResponse,
    VQAAnswer,
    VQAResponse,
)
from vi.inference.task_types.generic import GenericResponse as GenericAtItsPlace
from vi.inference.task_types.phrase_grounding import PhraseGroundingResponse as GroundingAtItsPlace
from vi.inference.task_types.vqa import VQAResponse as VQAAtItsPlace

words = st.text(min_size=1, max_size=20)
coordinates = st.integers(0, 1024)
boxes = st.lists(coordinates, min_size=4, max_size=4)
phrases = st.builds(GroundedPhrase, phrase=words, grounding=st.lists(boxes, max_size=3))
groundings = st.builds(PhraseGrounding, sentence=words, groundings=st.lists(phrases, max_size=3))
counts = st.integers(0, 10**6)
seconds = st.floats(0, 1e6)
logprobs = st.floats(-1e6, 0)
alternatives = st.builds(TokenAlternative, token_id=counts, text=st.text(max_size=5), logprob=logprobs)
tokens = st.builds(
    TokenLogprob,
    token_id=counts,
    text=st.text(max_size=5),
    logprob=logprobs,
    alternatives=st.lists(alternatives, max_size=2),
)
values = st.one_of(st.booleans(), st.integers(), st.floats(0, 2), st.none(), st.lists(words, max_size=2).map(tuple))
facts = st.fixed_dictionaries(
    {
        "prompt": st.text(max_size=20),
        "raw_output": st.text(max_size=20),
        "thinking": st.none() | st.text(max_size=20),
        "truncated": st.booleans(),
        "finish_reason": st.sampled_from(["stop", "stop_string", "length", "cancelled"]),
        "usage": st.builds(Usage, prompt_tokens=counts, image_tokens=counts, completion_tokens=counts),
        "timings": st.builds(
            Timings, load=seconds, prefill=seconds, time_to_first_token=seconds, per_token=seconds, total=seconds
        ),
        "generation": st.dictionaries(words, st.builds(Setting, value=values, origin=words), max_size=3),
        "warnings": st.lists(st.text(max_size=10), max_size=2),
        "logprobs": st.none() | st.lists(tokens, max_size=2),
    }
)
results = st.one_of(
    st.tuples(st.just(VQAResponse), st.builds(VQAAnswer, answer=words)),
    st.tuples(st.just(FreeformResponse), st.builds(Caption, caption=words)),
    st.tuples(st.just(PhraseGroundingResponse), groundings),
    st.tuples(st.just(GenericResponse), st.text(max_size=30)),
)


@given(kind_and_result=results, facts=facts)
def test_json_gives_the_same_answer_back(kind_and_result, facts):
    kind, result = kind_and_result
    response = kind(result=result, **facts)
    text = response.model_dump_json()
    json.loads(text, parse_constant=pytest.fail)  # sound JSON: no NaN, no Infinity
    assert kind.model_validate_json(text) == response


class Part(BaseModel):
    colour: str
    count: int


def test_a_parsed_instance_is_left_out_of_json_and_had_again_from_the_result():
    part = Part(colour="red", count=3)
    response = GenericResponse(prompt="p", result=part.model_dump_json(), parsed=part)
    again = GenericResponse.model_validate_json(response.model_dump_json())
    assert again == response
    assert again.parsed is None
    assert Part.model_validate_json(again.result) == response.parsed


def test_generic_answers_with_other_text_or_of_other_type_differ():
    answer = GenericResponse(prompt="p", result="a")
    assert answer != GenericResponse(prompt="p", result="b")
    assert answer != VQAResponse(prompt="p", result=VQAAnswer(answer="a"))
    assert answer != "a"


def test_import_paths_that_scripts_use_hold():
    assert (VQAAtItsPlace, GroundingAtItsPlace, GenericAtItsPlace) == (
        VQAResponse,
        PhraseGroundingResponse,
        GenericResponse,
    )
    assert issubclass(VQAResponse, PredictionResponse)


def test_an_answer_made_by_hand_needs_prompt_and_result_only():
    response = PhraseGroundingResponse(
        prompt="find it",
        result={"sentence": "A bolt.", "groundings": [{"phrase": "bolt", "grounding": [(1, 2, 3, 4)]}]},
    )
    assert response.result.groundings[0].grounding == [[1, 2, 3, 4]]
    assert response.usage.completion_tokens == 0


def test_two_answers_do_not_share_their_warnings():
    first, second = (GenericResponse(prompt="p", result="r") for _ in range(2))
    first.warnings.append("only mine")
    assert second.warnings == []


def test_print_shows_the_answer():
    grounding = PhraseGrounding(
        sentence="A bolt and a nut.", groundings=[GroundedPhrase(phrase="A bolt", grounding=[[1, 2, 3, 4]])]
    )
    assert str(VQAResponse(prompt="How many?", result=VQAAnswer(answer="three"))) == "three"
    assert str(FreeformResponse(prompt="p", result=Caption(caption="A bench."))) == "A bench."
    assert str(PhraseGroundingResponse(prompt="p", result=grounding)) == "A bolt and a nut.\n  A bolt: [1, 2, 3, 4]"
    assert str(GenericResponse(prompt="p", result="cut o", truncated=True)) == "cut o [cut off at the length limit]"


def test_repr_is_one_line_without_the_tokens():
    usage = Usage(prompt_tokens=9, completion_tokens=1)
    token = TokenLogprob(token_id=7, text="three", logprob=-0.1)
    response = VQAResponse(prompt="p", result=VQAAnswer(answer="three"), usage=usage, logprobs=[token])
    assert repr(response) == "VQAResponse(result=VQAAnswer(answer='three'), finish_reason='stop', completion_tokens=1)"


@pytest.mark.parametrize(
    "box", [[0, 0, 1, 1025], [-1, 0, 1, 1], [0, 0, 1], [0, 0, 1, 1, 1], [0, 0, 1, 1.0], [0, 0, 1, "1"]]
)
def test_a_box_is_four_integers_from_0_to_1024(box):
    with pytest.raises(ValidationError):
        GroundedPhrase(phrase="bolt", grounding=[box])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (640, 480), (1023, 1025), (4000, 3)])
def test_the_ends_of_the_scale_are_the_edges_of_the_picture(width, height):
    assert GroundedPhrase(phrase="all", grounding=[[0, 0, 1024, 1024]]).to_pixels(width, height) == [
        (0, 0, width, height)
    ]


@given(box=boxes, width=st.integers(1, 20000), height=st.integers(1, 20000))
def test_pixels_are_the_nearest_to_the_exact_position(box, width, height):
    pixels = GroundedPhrase(phrase="it", grounding=[box]).to_pixels(width, height)[0]
    for value, pixel, size in zip(box, pixels, (width, height, width, height), strict=True):
        assert isinstance(pixel, int)
        assert -0.5 < pixel - value * size / 1024 <= 0.5  # halves go up


def test_pixels_of_no_picture_are_refused():
    with pytest.raises(ConfigError, match="width=0"):
        GroundedPhrase(phrase="it", grounding=[]).to_pixels(0, 5)
