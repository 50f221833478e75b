"""One ``ConfigError`` for everything that is wrong with the values a caller gave."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel, ValidationError

from vi.inference.errors import ConfigError, did_you_mean
from vi.inference.generation_config.parameter import Parameter

_OF_THE_CALL = ("source", "user_prompt", "stream", "cot", "fps", "task_type", "response_format", "recursive")
_OUT_OF_RANGE = ("greater_than_equal", "less_than_equal")

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxlong = _repr.maxother = 60
short = _repr.repr


@contextmanager
def rejecting(model: type[BaseModel]) -> Iterator[None]:
    """Turn pydantic's ``ValidationError`` about ``model`` into one ``ConfigError`` that lists every wrong value."""
    try:
        yield
    except ValidationError as error:
        raise _config_error(error, model) from None


def unknown(name: object, valid: Iterable[str]) -> tuple[str, str]:
    """What is wrong with a key that is no parameter, and what to do: the nearest valid one, or all of them."""
    valid = list(valid)
    wrong = f"{name} is not a generation parameter."
    if name in _OF_THE_CALL:
        return wrong, f"It is an argument of the call: model(..., {name}=...)."
    if name == "preset":
        return wrong, "For a preset with changes, pass GenerationConfig.preset(name, ...)."
    near = _nearest(str(name), valid)
    return wrong, f"{near} (all: vi-infer config)" if near else f"The parameters are {', '.join(valid)}."


def _nearest(name: str, valid: list[str]) -> str:
    plain = name.lower().replace("-", "_")
    shortened = [full for full in valid if len(plain) > 2 and full.startswith(plain)]  # temp, stop, max
    return f"Did you mean {shortened[0]}?" if shortened else did_you_mean(plain, valid)


def _config_error(error: ValidationError, model: type[BaseModel]) -> ConfigError:
    complaints = []
    for detail in error.errors(include_url=False):
        told = detail.get("ctx", {}).get("error")
        if isinstance(told, ConfigError):  # from our own __init__, called by pydantic
            return told
        complaints.append(_complaint(dict(detail), model))
    if len(complaints) == 1:
        return ConfigError(*complaints[0])
    sentences = " ".join(f"{wrong} {hint}".rstrip() for wrong, hint in complaints)
    return ConfigError(f"{len(complaints)} generation parameters are wrong. {sentences}")


def _complaint(detail: dict[str, Any], model: type[BaseModel]) -> tuple[str, str]:
    kind, where, value = detail["type"], detail["loc"], detail["input"]
    if kind == "extra_forbidden":
        return unknown(where[0], model.model_fields)
    if not where:
        return f"The generation config cannot be read: {detail['msg']}.", "It takes an object of parameters."
    name = str(where[0])
    parameter = Parameter.of(name, model.model_fields[name])
    given = "".join([name, *(f"[{index}]" for index in where[1:]), "=", short(value)])
    if kind in _OUT_OF_RANGE or (isinstance(value, float) and math.isinf(value)):
        return f"{given} is out of range; it takes {parameter.range}.", ""
    return f"{given} is {_what(value, parameter)}; it takes {parameter.allowed}.", ""


def _what(value: object, parameter: Parameter) -> str:
    if value == "":
        return "empty"
    if isinstance(value, float):
        return "not a number" if math.isnan(value) else "not a whole number" if parameter.type is int else "a number"
    if value is None:
        return "not allowed"
    kind = type(value).__name__
    name = {"bool": "boolean", "str": "string", "int": "integer"}.get(kind, kind)
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
