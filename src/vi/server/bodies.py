"""A request's body as one of our types, and what is wrong with it in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vi.inference.errors import did_you_mean
from vi.server.envelope import ApiError

Body = TypeVar("Body", bound=BaseModel)


def read_body(kind: type[Body], content: bytes) -> Body:
    """JSON as a ``kind``. Raises ApiError 400 that names the field."""
    try:
        return kind.model_validate_json(content)
    except ValidationError as error:
        raise refusal(error.errors(include_url=False), kind.model_fields) from None


def refusal(details: Sequence[Mapping[str, Any]], fields: Iterable[str] = ()) -> ApiError:
    """What pydantic found, as ApiError 400 about the first of it."""
    detail = details[0]
    path = [str(part) for part in detail["loc"] if part != "body"]
    param = ".".join(path) or None
    if detail["type"] in ("json_invalid", "json_type"):
        return ApiError(400, "invalid_json", f"The body is not JSON: {detail['msg']}.")
    if detail["type"] == "extra_forbidden":
        message = f"{param} is not a parameter."
        return ApiError(400, "unknown_parameter", message, did_you_mean(path[-1], fields), param=param)
    if detail["type"] == "missing":
        return ApiError(400, "missing_parameter", f"{param or 'The body'} is missing.", param=param)
    said = detail["msg"].removeprefix("Value error, ")
    return ApiError(400, "invalid_value", f"{param}: {said}." if param else f"{said}.", param=param)
