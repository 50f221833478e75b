"""Events of a stream: what happens while an answer is written, and how it fits the answer."""

from __future__ import annotations

import json
import math
from typing import Literal

import pytest
from pydantic import BaseModel
from tests.inference.asking import SAMPLED, answer, but_the_clock, picture
from tests.inference.structured.test_field_reader import rebuilt

from vi.inference import Cancelled, ViModel
from vi.inference.events import BoxEvent, DoneEvent, EventReader, FieldEvent, TextEvent, ThinkingEvent, TokenEvent
from vi.inference.structured.field_reader import Field
from vi.inference.task_types.boxes import BoxUnits
from vi.inference.task_types.phrase_grounding import PHRASE_GROUNDING
from vi.workbench import sample


class Part(BaseModel):
    kind: Literal["gear", "nut"]
    holes: list[int]


class Stock(BaseModel):
    parts: list[Part]
    note: str


CALLS = {
    "vqa": {"task_type": "vqa", "generation_config": {"max_new_tokens": 24}},
    "form": {"response_format": Stock, "generation_config": {**SAMPLED, "max_new_tokens": 60, "seed": 5}},
    "thinking": {"task_type": "vqa", "cot": True, "generation_config": {"max_new_tokens": 40}},
    "boxes": {"task_type": "phrase-grounding", "generation_config": {**SAMPLED, "max_new_tokens": 120, "seed": 3}},
    "text": {"task_type": "generic", "generation_config": {"max_new_tokens": 20}},
}


def events_of(model, source=None, prompt="What is it?", **options):
    with model(source or picture(), prompt, stream=True, **options) as stream:
        return list(stream.events())


def of_kind(events, kind):
    return [event for event in events if type(event) is kind]


def as_fields(events):
    return [Field(tuple(event.path), event.value, 0, 0) for event in of_kind(events, FieldEvent)]


@pytest.fixture(scope="module")
def workbench_model():
    with ViModel() as model:
        yield model


@pytest.mark.parametrize("options", CALLS.values(), ids=CALLS)
def test_events_say_what_the_answer_says(tiny_model, options):
    events = events_of(tiny_model, **options)
    *before, done = events
    assert but_the_clock(done.response) == but_the_clock(answer(tiny_model(picture(), "What is it?", **options)))
    assert DoneEvent not in map(type, before)
    response = done.response
    thinking = "".join(event.text for event in of_kind(events, ThinkingEvent))
    assert thinking.strip() == (response.thinking or "")
    written = "".join(event.text for event in of_kind(events, TextEvent))
    assert written in response.raw_output
    if options.get("task_type") == "generic":
        assert as_fields(events) == []
    elif options.get("response_format"):
        assert rebuilt(as_fields(events)) == json.loads(response.result)
    else:
        assert rebuilt(as_fields(events)) == response.result.model_dump()


def test_confidences_are_the_same_with_logprobs_and_without(workbench_model):
    with_them, without = (
        answer(workbench_model(sample("wood.jpg"), "Find the gears.", config, task_type="phrase-grounding"))
        for config in ({"logprobs": 0}, {})
    )
    assert without.logprobs is None
    assert without.confidences
    for one, other in zip(without.confidences, with_them.confidences, strict=True):  # of steps of another width
        assert [one.phrase, *one.boxes] == pytest.approx([other.phrase, *other.boxes], rel=1e-5)


@pytest.mark.parametrize("logprobs", [None, 0, 2])
def test_the_boxes_of_events_are_those_of_the_answer_and_as_sure(workbench_model, logprobs):
    options = {"task_type": "phrase-grounding", "generation_config": {"logprobs": logprobs}}
    events = events_of(workbench_model, sample("wood.jpg"), "Find the gears.", **options)
    response = events[-1].response
    boxes = [(each.phrase, box) for each in response.result.groundings for box in each.grounding]
    sure = [confidence for each in response.confidences for confidence in each.boxes]
    told = of_kind(events, BoxEvent)
    assert [(event.phrase, event.box) for event in told] == boxes != []
    assert [event.confidence for event in told] == pytest.approx(sure)
    if logprobs is not None:
        assert [dict(event) for event in of_kind(events, TokenEvent)] == [
            {**dict(token), "type": "token"} for token in response.logprobs
        ]
    else:
        assert of_kind(events, TokenEvent) == []


def test_boxes_are_brought_from_the_models_units_to_1024():
    text = (
        '{"phrase_grounding":{"sentence":"a nut","groundings":[{"phrase":"a nut","grounding":[[0,50,100,200]]},'
        '{"phrase":"nut","grounding":[[10,20,30,40],[1,2,3,4]]}]}}'
    )
    reader = EventReader(PHRASE_GROUNDING, BoxUnits(200, 400, y_first=True))
    events = [event for character in text for event in reader.feed(character)] + list(reader.close())
    assert of_kind(events, BoxEvent)[0] == BoxEvent(phrase="a nut", box=[256, 0, 1024, 256])
    assert [event.phrase for event in of_kind(events, BoxEvent)] == ["a nut", "nut", "nut"]
    assert (
        rebuilt(as_fields(events)) == PHRASE_GROUNDING.parse(text, units=BoxUnits(200, 400, True)).result.model_dump()
    )


def test_pieces_and_events_are_one_stream(tiny_model):
    options = {"task_type": "generic", "generation_config": {"max_new_tokens": 20, "logprobs": 0}}
    with tiny_model(picture(), "What is it?", stream=True, **options) as stream:
        first = next(stream)
        events = stream.events()
        second = next(event.text for event in events if type(event) is TextEvent)
        third = next(stream)
        rest = list(events)
        assert list(stream) == list(stream.events())[:-1] == []
    assert first + second + third + "".join(e.text for e in of_kind(rest, TextEvent)) == rest[-1].response.raw_output


def test_a_cancelled_stream_ends_without_done(tiny_model):
    stream = tiny_model(
        picture(), "Go on.", stream=True, task_type="generic", generation_config={"max_new_tokens": 900}
    )
    kinds = []
    for event in stream.events():
        kinds.append(type(event))
        stream.cancel()
    assert set(kinds) == {TextEvent}
    with pytest.raises(Cancelled):
        stream.get_final_completion()


def test_every_event_is_json_that_says_its_type(workbench_model):
    options = {"task_type": "phrase-grounding", "generation_config": {"logprobs": 1}}
    events = events_of(workbench_model, sample("wood.jpg"), "Find the gears.", **options)
    dumped = [json.loads(json.dumps(event.model_dump(mode="json"))) for event in events]
    assert {event["type"] for event in dumped} == {"text", "field", "box", "token", "done"}
    assert dumped[-1]["response"]["result"]["groundings"]
    assert all(0 <= event["confidence"] <= 1 for event in dumped if event["type"] == "box")
    assert not any(math.isnan(event["logprob"]) for event in dumped if event["type"] == "token")
