"""How the server is doing: alive, ready, in numbers; and which models it has."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from vi.server.metrics import CONTENT_TYPE
from vi.server.routes.responses import ERRORS
from vi.server.serving import Serving


class Health(BaseModel):
    """models: name -> ``loaded``, ``absent`` (loaded when asked for) or ``stopped`` (its engine died)."""

    status: Literal["ok", "stopped"]
    models: dict[str, str]


class Readiness(BaseModel):
    """Whether requests are taken now, and if not why."""

    ready: bool
    reason: str | None = None


class ModelEntry(BaseModel):
    """A model as OpenAI lists them."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "vi-inference"


class ModelList(BaseModel):
    """All models, the default first."""

    object: Literal["list"] = "list"
    data: list[ModelEntry]


def state_routes(serving: Serving) -> APIRouter:
    """``/health``, ``/ready``, ``/metrics``, ``/v1/models``."""
    routes = APIRouter()
    unavailable: dict[int | str, dict[str, Any]] = {503: {"model": Health}}

    @routes.get("/health", tags=["state"], response_model=Health, responses=unavailable)
    async def health() -> Response:
        """200 while the process can answer; 503 once the engine of a model has died."""
        found = _health(serving)
        return JSONResponse(found.model_dump(), 200 if found.status == "ok" else 503)

    @routes.get("/ready", tags=["state"], response_model=Readiness, responses={503: {"model": Readiness}})
    async def ready() -> Response:
        """200 when requests are taken: the default model is loaded and the server is not shutting down."""
        found = _readiness(serving)
        return JSONResponse(found.model_dump(), 200 if found.ready else 503)

    @routes.get("/metrics", tags=["state"], response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Prometheus's text format."""
        return Response(serving.metrics.text(), media_type=CONTENT_TYPE)

    @routes.get("/v1/models", tags=["models"], responses=ERRORS)
    async def models() -> ModelList:
        """The models by name, the default first."""
        return ModelList(data=[ModelEntry(id=name) for name in serving.shelf.names])

    @routes.get("/v1/models/{name:path}", tags=["models"], responses=ERRORS)
    async def model(name: str) -> ModelEntry:
        """One model."""
        return ModelEntry(id=serving.shelf.require(name))

    return routes


def _health(serving: Serving) -> Health:
    models = dict.fromkeys(serving.shelf.names, "absent")
    for name, model in serving.shelf.loaded():
        models[name] = "loaded" if model.state.failure is None else "stopped"
    return Health(status="stopped" if "stopped" in models.values() else "ok", models=models)


def _readiness(serving: Serving) -> Readiness:
    if serving.gate.draining:
        return Readiness(ready=False, reason="The server is shutting down.")
    found = _health(serving)
    if found.status != "ok":
        return Readiness(ready=False, reason="The engine of a model has stopped.")
    if "loaded" not in found.models.values():
        return Readiness(ready=False, reason="No model is loaded yet.")
    return Readiness(ready=True)
