import json
import random
import re
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from tests.families import byte_level_tokenizer

from vi.inference.errors import SchemaError
from vi.inference.structured.constraint import Constraint, TokenizerTables
from vi.inference.structured.grammar import choice_grammar, json_grammar, regex_grammar, think_grammar
from vi.inference.task_types import TASKS
from vi.inference.task_types.wire import closed_schema

EOS = 0
TOKENIZER = byte_level_tokenizer(["<eos>"])
TABLES = TokenizerTables(TOKENIZER, eos_token_ids=[EOS])


class Colour(Enum):
    red = "red"
    rare = "a very long name of a colour"


class Inner(BaseModel):
    a: int = Field(ge=10, le=5000)
    b: str | None = None
    c: Literal["x", "yy"]


class Big(BaseModel):
    kind: Literal["big"]
    p: Inner
    r: list[Inner] = Field(min_length=2, max_length=4)


class Small(BaseModel):
    kind: Literal["small"]
    s: int | None = None


class Node(BaseModel):
    v: int
    left: "Node | None" = None
    children: list["Node"] = []


class Mixed(BaseModel):
    opt: int | None = None
    name: str = Field(min_length=1, max_length=30)
    colour: Colour
    when: datetime
    day: date
    f: float
    d: dict[str, int]
    u: int | str | list[Inner] | None


class Mapping(BaseModel):
    counts: dict[str, int]
    sure: bool


class Patterns(BaseModel):
    code: str = Field(pattern=r"^[A-Z]{3}-\d{4}$")
    long: str = Field(min_length=20)
    odd: str = Field(pattern="^(a|b{12})$")
    inside: str = Field(pattern="abc")


class Parts(BaseModel):
    items: list[Annotated[Big | Small, Field(discriminator="kind")]]


MODELS = {model.__name__: model for model in (Inner, Big, Small, Node, Mixed, Mapping, Patterns, Parts)}
CHOICES = ["yes", "no", "not at all", 'a "quoted" one', "é😀"]
REGEXES = [r"[a-c]{2,9}", r"\d+(\.\d{2})?", r"^(foo|ba+r)-x*$", r"[^a]*abc", r"(yes|no) because .{10,}", "a*"]


def babble(grammar, budget, seed, eager=False):
    """Random allowed tokens within a budget; eager ones open whatever can be opened."""
    rng, constraint, ids = random.Random(seed), Constraint(grammar, TABLES), []
    for left in range(budget, 0, -1):
        choices = np.flatnonzero(constraint.allowed(left)).tolist()
        opening = [i for i in choices if any(byte in TABLES.spelling(i) for byte in b"{[,b")]
        token_id = rng.choice(opening if eager and opening else choices)
        constraint.advance(token_id)
        if token_id == EOS or constraint.done:
            break
        ids.append(token_id)
    return TOKENIZER.decode(ids + ([token_id] if constraint.done and token_id != EOS else [])), constraint


def budgets(grammar, seed):
    least = Constraint(grammar, TABLES).min_tokens()
    return max(1, least + random.Random(seed).choice([0, 0, 1, 2, 3, 5, 8, 13, 21, 34, 55]))


def answer_of(text, thinking):
    if not thinking:
        return text
    match = re.fullmatch(r"<think>.*?</think><answer>(.*)</answer>", text, re.DOTALL)
    assert match, text
    return match[1]


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), eager=st.booleans())
def test_every_document_is_complete_and_valid_within_any_budget_from_the_least(name, thinking, seed, eager):
    grammar = (think_grammar if thinking else json_grammar)(closed_schema(MODELS[name]))
    text, _ = babble(grammar, budgets(grammar, seed), seed, eager)
    MODELS[name].model_validate_json(answer_of(text, thinking))


@pytest.mark.parametrize("name", ["vqa", "phrase-grounding", "freeform"])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), eager=st.booleans())
def test_every_task_answers_within_any_budget(name, seed, eager):
    grammar = json_grammar(TASKS[name].schema)
    text, _ = babble(grammar, budgets(grammar, seed), seed, eager)
    reading = TASKS[name].parse(text)
    assert not isinstance(reading.result, str)


@pytest.mark.parametrize("thinking", [False, True])
@pytest.mark.parametrize("pattern", REGEXES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_an_expression_is_matched_within_any_budget(pattern, thinking, seed):
    grammar = regex_grammar(pattern, thinking=thinking)
    text, _ = babble(grammar, budgets(grammar, seed), seed)
    assert re.fullmatch(pattern, answer_of(text, thinking))


@pytest.mark.parametrize("thinking", [False, True])
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_choice_is_one_of_its_options_within_any_budget(thinking, seed):
    grammar = choice_grammar(CHOICES, thinking=thinking)
    text, _ = babble(grammar, budgets(grammar, seed), seed)
    assert answer_of(text, thinking) in CHOICES


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_thoughts_leave_room_for_a_free_answer(seed):
    grammar = think_grammar(None)
    text, _ = babble(grammar, budgets(grammar, seed), seed)
    answer_of(text, True)


def test_at_the_least_budget_the_document_is_the_smallest():
    grammar = json_grammar(closed_schema(Big))
    text, constraint = babble(grammar, Constraint(grammar, TABLES).min_tokens(), 1)
    inner = {"a": 10, "c": "x"}
    assert json.loads(text) == {"kind": "big", "p": inner, "r": [inner, inner]}
    assert constraint.squeezed


def test_far_from_the_end_a_budget_changes_nothing():
    grammar = json_grammar(closed_schema(Mixed))
    free, bounded = Constraint(grammar, TABLES), Constraint(grammar, TABLES)
    for token_id in TOKENIZER.encode('{"opt":3,"name":"some name"').ids:
        assert (free.allowed() == bounded.allowed(4096)).all()
        free.advance(token_id)
        bounded.advance(token_id)
    assert not bounded.squeezed


def test_what_fits_is_still_allowed_near_the_end():
    constraint = Constraint(json_grammar(TASKS["vqa"].schema), TABLES)
    written = '{"vqa":{"answer":"a red '
    ids = TOKENIZER.encode(written).ids
    whole = TOKENIZER.encode(written + 'car"}}').ids
    for token_id in ids:
        constraint.advance(token_id)
    allowed = constraint.allowed(len(whole) - len(ids) + 3)
    assert all(allowed[TOKENIZER.token_to_id(letter)] for letter in "cxyz!")


def test_an_item_that_would_not_fit_is_not_begun():
    constraint = Constraint(json_grammar({"type": "array", "items": closed_schema(Inner)}), TABLES)
    for token_id in TOKENIZER.encode('[{"a":10,"c":"x"}').ids:
        constraint.advance(token_id)
    comma, close = TOKENIZER.token_to_id(","), TOKENIZER.token_to_id("]")
    assert constraint.allowed(200)[comma]
    tight = constraint.allowed(6)
    assert tight[close]
    assert not tight[comma]
    constraint.advance(close)
    assert constraint.squeezed


def test_a_choice_that_the_budget_did_not_touch_is_not_squeezed():
    constraint = Constraint(json_grammar({"type": "array", "items": closed_schema(Inner)}), TABLES)
    constraint.allowed(4)
    open_ = TOKENIZER.token_to_id("[")
    constraint.advance(open_, preferred=open_)
    constraint.allowed(3)
    close = TOKENIZER.token_to_id("]")
    constraint.advance(close, preferred=close)
    assert not constraint.squeezed


@pytest.mark.parametrize("model", [Big, Mixed])
def test_following_what_is_forced_stays_within_the_budget(model):
    grammar = json_grammar(closed_schema(model))
    least = Constraint(grammar, TABLES).min_tokens()
    for budget in (least, least + 1, least + 7):
        constraint, ids, rng = Constraint(grammar, TABLES), [], random.Random(budget)
        while not constraint.done and len(ids) < budget:
            allowed = constraint.allowed(budget - len(ids))
            step = constraint.forced() or [rng.choice(np.flatnonzero(allowed).tolist())]
            for token_id in step:
                constraint.advance(token_id)
            ids += step
        assert len(ids) <= budget
        model.model_validate_json(TOKENIZER.decode(ids))


def test_forced_tokens_are_what_every_continuation_begins_with():
    constraint = Constraint(json_grammar(TASKS["vqa"].schema), TABLES)
    forced = TOKENIZER.decode(constraint.forced())
    assert len(forced) > 10
    assert '{"vqa":{"answer":"'.startswith(forced)  # the end may be one token with what follows
    for token_id in TOKENIZER.encode('{"vqa":{"answer":"a').ids:
        constraint.advance(token_id)
    assert constraint.forced() == []


def test_the_least_number_of_tokens_is_known_anywhere():
    constraint = Constraint(json_grammar({"type": "array", "items": {"type": "integer"}, "minItems": 2}), TABLES)
    assert constraint.min_tokens() == 5
    constraint.advance(TOKENIZER.token_to_id("["))
    assert constraint.min_tokens() == 4


def test_the_least_from_one_place_does_not_depend_on_where_was_looked_before():
    grammar = json_grammar(closed_schema(Mapping))
    least = []
    for before in ("", '{"counts":{"a":1,', '{"counts":{},"su'):
        elsewhere = Constraint(grammar, TABLES)
        for token_id in TOKENIZER.encode(before).ids:
            elsewhere.advance(token_id)
        elsewhere.min_tokens()
        constraint = Constraint(grammar, TABLES)
        for token_id in TOKENIZER.encode('{"counts":{"x":0,').ids:
            constraint.advance(token_id)
        least.append(constraint.min_tokens())
    assert len(set(least)) == 1


def fields(count, num_required):
    names = [f"f{number}" for number in range(count)]
    return {
        "type": "object",
        "properties": {name: {"type": "integer"} for name in names},
        "additionalProperties": False,
        "required": names[:num_required],
    }


def test_a_schema_of_many_fields_says_what_it_takes():
    assert Constraint(json_grammar(fields(1000, 1000)), TABLES).min_tokens() > 4096


@pytest.mark.slow
def test_any_of_five_thousand_optional_fields_may_come():
    constraint = Constraint(json_grammar(fields(5000, 0)), TABLES)
    assert constraint.min_tokens() <= 2
    for token_id in TOKENIZER.encode('{"f3":1,"f4999":0').ids:
        assert constraint.allowed(4096)[token_id]
        constraint.advance(token_id)
    assert constraint.min_tokens() == 1


def test_odd_names_of_fields_are_spelt_as_json():
    names = ['a "quoted" one', "two\nlines", "😀", "back\\slash", ""]
    schema = {
        "type": "object",
        "properties": {name: {"type": "boolean"} for name in names},
        "required": names,
        "additionalProperties": False,
    }
    grammar = json_grammar(schema)
    text, _ = babble(grammar, Constraint(grammar, TABLES).min_tokens() + 3, 5)
    assert list(json.loads(text)) == names


def test_what_never_ends_is_refused():
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}, "required": ["next"]}
    with pytest.raises(SchemaError, match="No finite document"):
        json_grammar({"$defs": {"node": node}, "$ref": "#/$defs/node"})
