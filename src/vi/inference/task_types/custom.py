"""A task made from the caller's own pydantic class."""

from __future__ import annotations

import json
from typing import get_origin

from pydantic import BaseModel, ValidationError

from vi.inference.errors import AnswerError, ConfigError
from vi.inference.task_types.base import GenericResponse, Reading, Task
from vi.inference.task_types.wire import closed_schema, read_document


def custom_task(response_format: type[BaseModel]) -> Task:
    """The task whose answers are JSON of ``response_format``.

    Answers are GenericResponse: ``result`` is the JSON text, ``parsed`` the validated instance; a text that is not
    JSON, for example one cut off, stays in ``result`` as it is, ``parsed`` None. Reading JSON that the class rejects,
    by a validator of its own, raises AnswerError. Raises ConfigError for anything but a pydantic class, SchemaError for
    a class that JSON Schema cannot express.
    """
    if not _is_model(response_format):
        raise ConfigError(
            f"response_format={response_format!r} is not a pydantic class.",
            "It takes a class derived from pydantic.BaseModel (the class itself, not an instance).",
        )
    schema = closed_schema(response_format)
    return Task(
        name="generic",
        response=GenericResponse,
        system_prompt=(
            "You read facts off a picture. Go by what it shows and nothing else.\n"
            "Reply with one line of JSON and no other text. It has to fit this JSON Schema: "
            + json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        ),
        default_prompt="Read these facts off this picture.",
        schema=schema,
        read=lambda text: _read(response_format, text),
    )


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
