"""What went wrong, as OpenAI's clients read it; without paths, addresses and stack traces."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse

from vi.inference.errors import (
    Cancelled,
    ConfigError,
    InferenceError,
    LoadError,
    PromptError,
    SchemaError,
    SourceError,
    SourceUnreachable,
    ViError,
)


class ErrorBody(BaseModel):
    """type: the family of the error. param: the field of the request it is about. code: tells errors apart."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class ErrorEnvelope(BaseModel):
    """Every error of the server."""

    error: ErrorBody


TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


class ApiError(ViError):
    """A request that is refused with ``status``; ``code`` is stable, ``param`` names the field it is about."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        hint: str = "",
        *,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.status, self.code, self.param, self.headers = status, code, param, headers or {}
        self.retryable = status in (429, 503)

    @property
    def type(self) -> str:
        return TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")

    def body(self) -> dict[str, Any]:
        """The envelope."""
        error = ErrorBody(message=str(self), type=self.type, param=self.param, code=self.code)
        return ErrorEnvelope(error=error).model_dump()

    def response(self) -> JSONResponse:
        return JSONResponse(self.body(), self.status, self.headers)


_MISTAKES: tuple[tuple[type[ViError], str, str | None], ...] = (
    (SourceUnreachable, "source_unreachable", "source"),
    (SourceError, "invalid_source", "source"),
    (PromptError, "invalid_prompt", "user_prompt"),
    (SchemaError, "invalid_schema", "response_format"),
    (ConfigError, "invalid_value", None),
)


def as_api_error(error: BaseException) -> ApiError:
    """The error as it is told to a client: a mistake of the request in full, a failure of ours in a sentence."""
    if isinstance(error, ApiError):
        return error
    for kind, code, param in _MISTAKES:
        if isinstance(error, kind):
            return ApiError(400, code, error.message, error.hint, param=param)
    if isinstance(error, LoadError):
        return ApiError(503, "model_unavailable", "The model cannot be loaded.", "The server's log says why.")
    if isinstance(error, Cancelled):
        return ApiError(503, "cancelled", "The request was stopped before its answer was complete.", "Ask again.")
    if isinstance(error, InferenceError) and error.__cause__ is None:  # in words of ours, about this request
        return ApiError(500, "inference_failed", error.message, error.hint)
    return ApiError(500, "internal_error", "The server failed on this request.", "Its log says why.")
