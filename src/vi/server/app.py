"""The application: its parts, its routes, how it begins and ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from vi import __version__
from vi.inference.errors import ViError
from vi.server.bodies import refusal
from vi.server.chat_request import ChatRequest
from vi.server.doorway import Doorway
from vi.server.envelope import ApiError
from vi.server.routes.chat import chat_routes
from vi.server.routes.pages import page_routes
from vi.server.routes.predict import predict_routes
from vi.server.routes.state import state_routes
from vi.server.serving import Serving
from vi.server.settings import ServerSettings

_log = logging.getLogger("vi.server")

DESCRIPTION = "Ask a vision-language model about pictures and clips, and see how every token was chosen."
_CODES = {404: "not_found", 405: "method_not_allowed"}


def create_app(settings: ServerSettings) -> FastAPI:
    """An ASGI application that serves the models of ``settings``; ``app.state.serving`` are its parts.

    It loads the default model when its lifespan begins, and closes all models when that ends.
    """
    serving = Serving(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        first = asyncio.create_task(_load_first(serving))
        yield
        serving.gate.draining = True
        first.cancel()
        await serving.close()

    app = FastAPI(
        title="Vi Inference",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's own pages fetch their scripts from elsewhere; ours is at /docs
        redoc_url=None,
    )
    app.state.serving = serving
    for routes in (chat_routes(serving), predict_routes(serving), state_routes(serving), page_routes(serving)):
        app.include_router(routes)
    app.openapi = partial(_described, app)  # type: ignore[method-assign]
    app.add_middleware(Doorway, settings=settings, metrics=serving.metrics)

    @app.exception_handler(HTTPException)
    async def of_starlette(request: Request, error: HTTPException) -> Response:
        code = _CODES.get(error.status_code, "invalid_request")
        return _refuse(ApiError(error.status_code, code, f"{error.detail}.", headers=dict(error.headers or {})))

    @app.exception_handler(RequestValidationError)
    async def of_validation(request: Request, error: RequestValidationError) -> Response:
        return _refuse(refusal(error.errors(), ChatRequest.model_fields))  # the one body that FastAPI reads

    def _refuse(error: ApiError) -> Response:
        serving.metrics.failed(error.code)
        return error.response()

    return app


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, without FastAPI's own error, in whose place our envelope comes with 400."""
    description = FastAPI.openapi(app)  # the same object each time
    for operations in description["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        description["components"]["schemas"].pop(name, None)
    return description


async def _load_first(serving: Serving) -> None:
    """Have the default model in memory before somebody asks; a failure is logged by the shelf and told by /ready."""
    with suppress(ViError):
        (await serving.shelf.borrow(None)).give_back()
