"""The playground's page, what it is built from, the sample pictures, and the page about the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, HTMLResponse, Response

from vi.inference.errors import SourceError
from vi.inference.generation_config import PRESETS, GenerationConfig
from vi.inference.task_types import TASKS
from vi.server.envelope import ApiError
from vi.server.limits import Limits
from vi.server.reference_page import reference_page
from vi.server.routes.responses import ERRORS
from vi.server.serving import Serving
from vi.workbench import sample, samples

PLAYGROUND = Path(__file__).parents[1] / "playground"


class SampleLink(BaseModel):
    """A sample picture and where it is."""

    name: str
    url: str


class Configuration(BaseModel):
    """schema: JSON Schema of a generation config. defaults: model -> what a call gets that sets nothing. presets: name
    -> values; descriptions: of these. limits: of a request."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: dict[str, Any] = Field(alias="schema")
    defaults: dict[str, dict[str, Any]]
    presets: dict[str, dict[str, Any]]
    descriptions: dict[str, str]
    tasks: list[str]
    samples: list[SampleLink]
    limits: Limits


def page_routes(serving: Serving) -> APIRouter:
    """``/``, ``/playground/*``, ``/docs``, ``/v1/config`` and ``/v1/samples/*``."""
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    async def index() -> Response:
        return FileResponse(PLAYGROUND / "index.html")

    @routes.get("/docs", include_in_schema=False)
    async def reference(request: Request) -> Response:
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return HTMLResponse(reference_page(request.app.openapi()), headers=policy)

    @routes.get("/playground/{path:path}", include_in_schema=False)
    async def file(path: str) -> Response:
        return FileResponse(_beneath(PLAYGROUND, path), headers={"Cache-Control": "no-cache"})

    @routes.get("/v1/config", tags=["playground"], responses=ERRORS)
    async def configuration() -> Configuration:
        """What a request may set: the schema of its generation config, what a model does without, presets, tasks,
        samples, limits."""
        defaults = await serving.shelf.defaults()
        return Configuration(
            schema=GenerationConfig.model_json_schema(),
            defaults={name: config.model_dump() for name, config in defaults.items()},
            presets={name: dict(preset.values) for name, preset in PRESETS.items()},
            descriptions={name: preset.description for name, preset in PRESETS.items()},
            tasks=list(TASKS),
            samples=[SampleLink(name=path.name, url=f"/v1/samples/{path.name}") for path in samples()],
            limits=serving.limits,
        )

    @routes.get("/v1/samples/{name}", tags=["playground"], responses=ERRORS, response_class=FileResponse)
    async def sample_picture(name: str) -> FileResponse:
        """A sample picture."""
        try:
            return FileResponse(sample(name), headers={"Cache-Control": "max-age=3600"})
        except SourceError as error:
            raise ApiError(404, "sample_not_found", error.message, error.hint, param="name") from None

    return routes


def _beneath(folder: Path, path: str) -> Path:
    """A file below a folder. Raises ApiError 404, also for one that links or dots lead out to."""
    found = folder / path.replace("\0", "")
    if not found.resolve().is_relative_to(folder.resolve()) or not found.is_file():
        raise ApiError(404, "not_found", "There is no such page.")
    return found
