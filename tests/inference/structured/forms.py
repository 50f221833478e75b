"""Forms of answers, one of every kind, each with a judge of its own of whether a text is one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

from jsonschema_rs import Draft202012Validator
from pydantic import BaseModel, Field

from vi.inference import Choices, Regex
from vi.inference.task_types import TASKS
from vi.inference.task_types.phrase_grounding import PhraseGrounding


@dataclass(frozen=True)
class Form:
    """options: of the call. judge: raises where a text, without any frame of thinking, is no such answer."""

    options: dict[str, Any]
    judge: Callable[[str], object]


class Colour(Enum):
    red = "red"
    silver = "silver"
    rare = "a long name of a colour"


class Part(BaseModel):
    kind: Literal["bolt", "nut", "washer"]
    colour: Colour
    count: int = Field(ge=1, le=99)


class Nested(BaseModel):
    first: Part
    second: Part | None = None


class Numbers(BaseModel):
    whole: int = Field(gt=-5, lt=500)
    even: int = Field(multiple_of=2, ge=0, le=20)
    share: float = Field(ge=0, le=1)
    free: float


class Texts(BaseModel):
    short: str = Field(min_length=1, max_length=8)
    code: str = Field(pattern=r"^[A-Z]{2}-\d{3}$")
    inside: str = Field(pattern="ab+c")


class Lists(BaseModel):
    words: list[str] = Field(max_length=5)
    corners: list[Annotated[int, Field(ge=0, le=9)]] = Field(min_length=2, max_length=4)
    pairs: list[tuple[int, bool]] = []


class Mapping(BaseModel):
    counts: dict[str, int]
    sure: bool


class Times(BaseModel):
    when: datetime
    day: date | None = None


class Formats(BaseModel):
    clock: time
    address: IPv4Address
    number: UUID | None = None


class Bolt(BaseModel):
    type: Literal["bolt"]
    length: int


class Nut(BaseModel):
    type: Literal["nut"]
    threads: list[int] | None = None


class Union(BaseModel):
    item: Annotated[Bolt | Nut, Field(discriminator="type")]
    other: int | str | bool | None


class Tree(BaseModel):
    name: str
    parts: list[Tree] = []


class OddNames(BaseModel):
    quoted: bool = Field(alias='a "quoted" one')
    emoji: bool = Field(alias="😀\n")
    spare: str = Field(default="", alias="back\\slash")


MODELS = (Part, Nested, Numbers, Texts, Lists, Mapping, Times, Formats, Union, Tree, OddNames)

POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}, "required": ["x"]}
SCHEMAS: dict[str, dict[str, Any]] = {
    "schema of an open object": {**POINT, "additionalProperties": {"type": ["string", "null"]}},
    "schema of patterns": {
        "type": "object",
        "patternProperties": {"^x-[a-z]+$": {"type": "number", "exclusiveMinimum": 0}},
        "additionalProperties": False,
        "maxProperties": 3,
    },
    "schema of a tuple": {
        "type": "array",
        "prefixItems": [{"const": "point"}, {"$ref": "#/$defs/point"}],
        "items": {"enum": [1, "two", None, [3]]},
        "minItems": 2,
        "maxItems": 6,
        "$defs": {"point": {**POINT, "additionalProperties": False}},
    },
    "schema of unions": {
        "anyOf": [
            {"type": "array", "items": {"type": "boolean"}},
            {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 500}]},
            {"type": "string", "minLength": 3},
        ]
    },
    "schema of anything": {},
}
EXPRESSIONS = (r"[a-c]{2,9}", r"\d+(\.\d{2})?", r"(yes|no) because .{10,}", r"^(foo|ba+r)-x*$")
OPTIONS = ("yes", "no", "not at all", 'a "quoted" one', "é😀")


def forms() -> dict[str, Form]:
    """Every form by its name."""
    return {
        **{name: Form({"task_type": name}, _task_judge(name)) for name in ("vqa", "freeform", "phrase-grounding")},
        **{model.__name__: Form({"response_format": model}, _model_judge(model)) for model in MODELS},
        **{name: Form({"response_format": schema}, _schema_judge(schema)) for name, schema in SCHEMAS.items()},
        **{f"/{each}/": Form({"response_format": Regex(each)}, _expression_judge(each)) for each in EXPRESSIONS},
        "choices": Form({"response_format": Choices(OPTIONS)}, OPTIONS.index),
    }


def _strict_json(text: str) -> Any:
    """What compact JSON stands for; nothing beside it, and no NaN."""
    assert text.strip() == text
    return json.loads(text, parse_constant=float.__getattribute__)  # which fails on a text


def _task_judge(name: str) -> Callable[[str], object]:
    def judge(text: str) -> None:
        _strict_json(text)
        task = TASKS[name]
        result = task.parse(text).result
        assert not isinstance(result, str), "not the task's own answer"
        if isinstance(result, PhraseGrounding):
            assert all(grounded.phrase in result.sentence and grounded.grounding for grounded in result.groundings)

    return judge


def _model_judge(model: type[BaseModel]) -> Callable[[str], object]:
    def judge(text: str) -> None:
        _strict_json(text)
        model.model_validate_json(text)

    return judge


def _schema_judge(schema: dict[str, Any]) -> Callable[[str], object]:
    validator = Draft202012Validator(schema)
    return lambda text: validator.validate(_strict_json(text))


def _expression_judge(pattern: str) -> Callable[[str], object]:
    def judge(text: str) -> None:
        assert re.fullmatch(pattern, text, re.ASCII), f"{text!r} does not match"

    return judge
