"""The errors that routes declare, for the OpenAPI page."""

from __future__ import annotations

from typing import Any

from vi.server.envelope import ErrorEnvelope

_TEXTS = {
    400: "The request cannot be answered as it stands.",
    401: "No valid API key.",
    403: "A page of another origin, or another host's name, on a server without keys.",
    404: "There is nothing of that name.",
    408: "The body came too slowly.",
    413: "The body is too large.",
    429: "Too many answers are underway; Retry-After says when to ask again.",
    500: "The server failed on this request.",
    503: "The model is not available, or the server is shutting down.",
    504: "The request took longer than the server allows.",
}

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorEnvelope, "description": text} for status, text in _TEXTS.items()
}
