"""JSON on the wire: the schema that a pydantic class stands for, and reading a text back into the class."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from vi.inference.errors import SchemaError

Document = TypeVar("Document", bound=BaseModel)


class Wire(BaseModel):
    """A part of a document that a model writes: exactly these keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def closed_schema(document: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of ``document``, properties in the order of its fields.

    Objects take no keys but their own unless the class says ``extra="allow"``: a model that may add keys may never
    stop. Raises SchemaError for a class that JSON Schema cannot express.
    """
    try:
        return document.model_json_schema(schema_generator=_Closed)
    except PydanticUserError as error:
        raise SchemaError(
            f"{document.__name__} cannot be written as a JSON Schema ({error.message}).",
            "Use fields of plain types: str, int, float, bool, Literal, Enum, list, dict, Optional or other models.",
        ) from error


class _Closed(GenerateJsonSchema):
    def model_schema(self, schema: Any) -> dict[str, Any]:
        return _close(super().model_schema(schema))

    def typed_dict_schema(self, schema: Any) -> dict[str, Any]:
        return _close(super().typed_dict_schema(schema))

    def dataclass_schema(self, schema: Any) -> dict[str, Any]:
        return _close(super().dataclass_schema(schema))


def _close(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


def find_document(document: type[Document], text: str) -> Document | None:
    """The ``document`` that ``text`` holds, as ``read_document`` finds it; None also where the JSON does not fit."""
    try:
        found = read_document(document, text)
    except ValidationError:
        return None
    return found[0] if found else None


def read_document(document: type[Document], text: str) -> tuple[Document, str] | None:
    """Read ``text`` into ``document``: the instance and the JSON it was read from, or None where there is no JSON.

    The whole text is tried first; then what stands between the first ``{`` and the last ``}``, which takes off a code
    fence or a sentence around one object. Nothing is completed or guessed. Raises pydantic's ValidationError where
    the JSON is sound but does not fit the class.
    """
    candidates = [text.strip(), text[text.find("{") : text.rfind("}") + 1]]
    for candidate in candidates:
        try:
            return document.model_validate_json(candidate), candidate
        except ValidationError as error:
            if not _is_broken_json(error):
                raise
        except UnicodeEncodeError:  # half a surrogate pair cannot stand in JSON
            return None
    return None


def read_json(text: str) -> tuple[Any, str] | None:
    """The JSON value that ``text`` holds and its own text, or None; found where ``read_document`` looks."""
    for candidate in (text.strip(), text[text.find("{") : text.rfind("}") + 1]):
        try:
            return json.loads(candidate), candidate
        except ValueError:
            continue
    return None


def _is_broken_json(error: ValidationError) -> bool:
    return any(detail["type"] == "json_invalid" and not detail["loc"] for detail in error.errors())
