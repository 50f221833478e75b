"""Forms of answers that are odd, impossible or without end, asked of a model: each ends, and well."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import BaseModel, field_validator

from vi.inference import AnswerError, Choices, ConfigError, Regex, SchemaError, ViModel
from vi.workbench import sample

WILD = {"do_sample": True, "temperature": 2.0, "max_new_tokens": 60}


@pytest.fixture(scope="module")
def ask():
    with ViModel() as model:
        yield lambda response_format, config=WILD: model(
            sample("wood.jpg"), "What is there?", config, response_format=response_format
        )


class Tree(BaseModel):
    name: str
    inside: list[Tree] = []


class Ladder(BaseModel):
    next: Ladder


class Picky(BaseModel):
    count: int

    @field_validator("count")
    @classmethod
    def never(cls, value):
        raise ValueError("it is never right")


@pytest.mark.parametrize("seed", range(6))
def test_a_class_within_itself_is_answered_within_the_budget(ask, seed):
    result, error = ask(Tree, {**WILD, "seed": seed})
    assert error is None
    assert Tree.model_validate_json(result.result) == result.parsed


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (Ladder, "finite|never end|itself"),
        ({"type": "object", "properties": {"n": {"minimum": 5, "maximum": 2}}, "required": ["n"]}, "minimum=5"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, ""),
    ],
    ids=["without end", "minimum above maximum", "two types at once"],
)
def test_what_no_text_can_be_is_refused_before_anything_is_written(ask, form, said):
    result, error = ask(form)
    assert result is None
    assert isinstance(error, SchemaError)
    assert re.search(said, str(error))


@pytest.mark.parametrize("options", [[], ["a", "a"], [""]])
def test_choices_that_are_none_are_refused_when_they_are_made(options):
    with pytest.raises(ConfigError):
        Choices(options)


@pytest.mark.parametrize("pattern", ["(ab)+", "[a-f]*x", "a{3,}"])
def test_an_expression_that_never_ends_is_ended_by_the_budget(ask, pattern):
    for seed in range(3):
        result, error = ask(Regex(pattern), {**WILD, "max_new_tokens": 12, "seed": seed})
        assert error is None
        assert re.fullmatch(pattern, result.result)


@pytest.mark.slow
def test_of_5000_optional_fields_any_may_come(ask):
    schema = {
        "type": "object",
        "properties": {f"field_{i}": {"type": "integer", "maximum": 9} for i in range(5000)},
        "additionalProperties": False,
    }
    result, error = ask(schema, {**WILD, "max_new_tokens": 8})
    assert error is None
    assert set(result.parsed) <= set(schema["properties"])


@pytest.mark.slow
def test_5000_required_fields_say_how_many_tokens_they_take(ask):
    names = [f"field_{i}" for i in range(5000)]
    schema = {"type": "object", "properties": {name: {"type": "boolean"} for name in names}, "required": names}
    result, error = ask(schema)
    assert result is None
    assert isinstance(error, SchemaError)
    assert re.search(r"at least [\d,]+ tokens", str(error))


def test_fields_may_be_called_anything(ask):
    names = ['a "quoted" one', "two\nlines", "🦊", "a.b", "back\\slash", " ", "é", "</answer>"]
    schema = {
        "type": "object",
        "properties": {name: {"enum": ["yes", "no"]} for name in names},
        "required": names,
        "additionalProperties": False,
    }
    result, error = ask(schema, {**WILD, "max_new_tokens": 200})
    assert error is None
    assert list(result.parsed) == list(json.loads(result.result)) == names
    assert set(result.probabilities) == set(names)
    assert all(set(options) == {"yes", "no"} for options in result.probabilities.values())


def test_what_the_callers_own_validator_rejects_reaches_the_caller_with_the_text(ask):
    result, error = ask(Picky)
    assert result is None
    assert isinstance(error, AnswerError)
    assert "it is never right" in str(error)
    assert isinstance(json.loads(error.raw_output)["count"], int)
