"""A task made from what the caller says that an answer is: a pydantic class, a JSON Schema, an expression, a choice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from vi.inference.errors import AnswerError, ConfigError, SchemaError
from vi.inference.structured.formats import Choices, Regex
from vi.inference.task_types.base import GenericResponse, Reading, Task
from vi.inference.task_types.wire import closed_schema, read_document, read_json

_AIM = "You read facts off a picture. Go by what it shows and nothing else.\n"


def custom_task(response_format: type[BaseModel] | dict[str, Any] | Regex | Choices) -> Task:
    """The task whose answers are JSON of a pydantic class or a JSON Schema, match a Regex, or are one of some Choices.

    Answers are GenericResponse: ``result`` is the text, ``parsed`` the validated instance of the class, the value that
    JSON of a schema stands for, or the text itself; a text that does not fit, for example one cut off, stays in
    ``result`` as it is, ``parsed`` None. Reading JSON that the class rejects, by a validator of its own, raises
    AnswerError. Raises ConfigError for anything else, SchemaError for a class that JSON Schema cannot express.
    """
    if isinstance(response_format, Choices):
        return _text_task(response_format, f"Reply with one of these and no other text: {_listed(response_format)}")
    if isinstance(response_format, Regex):
        return _text_task(response_format, f"Reply with text that matches {response_format.pattern} and nothing else.")
    if isinstance(response_format, dict):
        return _json_task(response_format, _read_value)
    if not _is_model(response_format):
        raise ConfigError(
            f"response_format={response_format!r} is not a pydantic class.",
            "It takes a class derived from pydantic.BaseModel (the class itself, not an instance), a JSON Schema as a "
            "dict, Regex(...) or Choices([...]).",
        )
    return _json_task(closed_schema(response_format), lambda text: _read(response_format, text))


def _json_task(schema: dict[str, Any], read: Callable[[str], Reading | None]) -> Task:
    try:
        shown = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise SchemaError(f"The response schema is not JSON: {error}.") from error
    return Task(
        name="generic",
        response=GenericResponse,
        system_prompt=f"{_AIM}Reply with one line of JSON and no other text. It has to fit this JSON Schema: {shown}",
        default_prompt="Read these facts off this picture.",
        schema=schema,
        read=read,
    )


def _text_task(form: Regex | Choices, instruction: str) -> Task:
    return Task(
        name="generic",
        response=GenericResponse,
        system_prompt=f"{_AIM}{instruction}",
        default_prompt=None,
        schema=None,
        read=lambda text: _read_text(form, text),
        form=form,
    )


def _listed(choices: Choices) -> str:
    return ", ".join(json.dumps(option, ensure_ascii=False) for option in choices.options)


def _read_text(form: Regex | Choices, text: str) -> Reading | None:
    """The text as it stands; of choices, one of them. An expression was enforced while decoding."""
    if isinstance(form, Regex):
        return Reading(text, parsed=text)
    return next((Reading(option, parsed=option) for option in form.options if option.strip() == text.strip()), None)


def _read_value(text: str) -> Reading | None:
    found = read_json(text)
    return None if found is None else Reading(found[1], parsed=found[0])


def _is_model(value: object) -> bool:
    if get_origin(value) is not None:  # list[int] counts as a type in Python 3.10
        return False
    return isinstance(value, type) and issubclass(value, BaseModel)


def _read(response_format: type[BaseModel], text: str) -> Reading | None:
    name = response_format.__name__
    try:
        found = read_document(response_format, text)
    except ValidationError as error:
        raise AnswerError(f"The answer is JSON but not a valid {name}: {_reasons(error)}.", _HINT) from error
    except Exception as error:  # the caller's validators may raise anything
        raise AnswerError(f"{name} failed to read the answer: {error!r}.", _HINT) from error
    if found is None:
        return None
    parsed, json_text = found
    return Reading(json_text, parsed=parsed)


_HINT = "The text is in raw_output. Ask again, for instance with another seed, or loosen the class."


def _reasons(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, detail['loc'])) or 'the whole'}: {detail['msg']}"
        for detail in error.errors(include_url=False)
    )
