"""Answers in the caller's own class."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

import llguidance
import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from vi.inference.completion import Completion, Timings, Usage
from vi.inference.errors import AnswerError, ConfigError, SchemaError
from vi.inference.structured.formats import Choices, Regex
from vi.inference.task_types import GenericResponse, custom_task


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    colour: Colour
    count: int = Field(ge=0, le=99)


class Inspection(BaseModel):
    verdict: Literal["pass", "fail"]
    parts: list[Part]
    note: str | None


class Even(BaseModel):
    count: int

    @field_validator("count")
    @classmethod
    def even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("odd")
        return value


SOUND = '{"verdict":"pass","parts":[{"colour":"red","count":3}],"note":null}'


def completion(text: str, finish_reason: str = "stop") -> Completion:
    usage = Usage(prompt_tokens=1, completion_tokens=1)
    timings = Timings(prefill=0, time_to_first_token=0, per_token=0, total=0)
    return Completion(token_ids=[1], text=text, finish_reason=finish_reason, usage=usage, timings=timings)


@pytest.mark.parametrize("text", [SOUND, f"```json\n{SOUND}\n```", f"<think>hm</think><answer>{SOUND}</answer>"])
def test_the_answer_is_an_instance_of_the_class(text):
    response = custom_task(Inspection).respond(completion(text), prompt="p")
    assert isinstance(response, GenericResponse)
    assert response.result == SOUND
    assert response.parsed == Inspection(verdict="pass", parts=[Part(colour=Colour.RED, count=3)], note=None)
    assert response.raw_output == text


def test_a_grammar_engine_takes_the_schema():
    schema = custom_task(Inspection).schema
    matcher = llguidance.LLMatcher(
        llguidance.LLTokenizer("byte"),
        llguidance.LLMatcher.grammar_from_json_schema(schema, {"whitespace_flexible": False}),
    )
    assert not matcher.is_error(), matcher.get_error()
    assert matcher.try_consume_tokens(list(SOUND.encode())) == len(SOUND)
    assert matcher.is_accepting()


def test_objects_take_no_other_keys_unless_the_class_says_so():
    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        properties: dict[str, int]
        part: Part

    schema = custom_task(Open).schema
    assert schema["additionalProperties"] is True
    assert schema["$defs"]["Part"]["additionalProperties"] is False
    assert schema["properties"]["properties"]["additionalProperties"] == {"type": "integer"}
    assert set(schema["properties"]) == {"properties", "part"}


def test_json_that_the_class_rejects_is_an_error_that_keeps_the_text():
    text = '<think>hm</think><answer>{"count":3}</answer>'
    with pytest.raises(AnswerError, match="not a valid Even: count: Value error, odd") as caught:
        custom_task(Even).parse(text)
    assert caught.value.raw_output == text


def test_a_validator_that_breaks_is_the_same_error():
    def broken(value: int) -> int:
        raise KeyError("table")

    class Broken(BaseModel):
        count: Annotated[int, AfterValidator(broken)]

    with pytest.raises(AnswerError, match="Broken failed to read the answer: KeyError"):
        custom_task(Broken).parse('{"count":3}')


@pytest.mark.parametrize("end", range(1, len(SOUND)))
def test_a_cut_document_is_raw_text_marked_truncated(end):
    response = custom_task(Inspection).respond(completion(SOUND[:end], "length"), prompt="p")
    assert (response.result, response.truncated, response.parsed) == (SOUND[:end], True, None)


@pytest.mark.parametrize("value", [dict, Part(colour="red", count=1), "Part", ["a", "b"], list[Part]])
def test_anything_but_a_class_is_refused(value):
    with pytest.raises(ConfigError, match="is not a pydantic class"):
        custom_task(value)


def test_a_class_without_json_schema_is_refused():
    class Odd(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)
        what: object
        how: type(lambda: None)

    with pytest.raises(SchemaError, match="Odd cannot be written as a JSON Schema"):
        custom_task(Odd)


def test_it_has_a_default_prompt_and_tells_the_schema():
    task = custom_task(Part)
    assert task.user_prompt(None)
    assert '"colour"' in task.system_prompt


def test_a_schema_gives_the_value_that_its_json_stands_for():
    task = custom_task({"type": "array", "items": {"type": "integer"}})
    assert task.parse("[1,2]").parsed == [1, 2]
    assert task.grammar().json
    assert task.parse("one, two").result == "one, two"


def test_an_answer_by_choice_is_one_of_the_options():
    task = custom_task(Choices(["yes", "no"]))
    response = task.respond(completion("yes"), prompt="p")
    assert (response.result, response.parsed) == ("yes", "yes")
    assert task.parse("<think>hm</think><answer>no</answer>").parsed == "no"
    assert task.parse("perhaps").parsed is None
    assert '"yes", "no"' in task.system_prompt
    assert task.schema is None
    assert task.grammar() != task.grammar(thinking=True)


def test_an_answer_by_expression_is_the_text():
    task = custom_task(Regex(r"[A-Z]{2}-[0-9]+"))
    assert task.parse("AB-12").parsed == "AB-12"
    assert r"[A-Z]{2}-[0-9]+" in task.system_prompt


def test_a_document_that_the_budget_closed_is_truncated_though_it_parses():
    closed = completion(SOUND, "length").model_copy(update={"truncated": True})
    response = custom_task(Inspection).respond(closed, prompt="p")
    assert response.truncated
    assert response.parsed.verdict == "pass"
