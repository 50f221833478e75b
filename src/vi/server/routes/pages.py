"""The playground's page, what it is built from, and the sample pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, RedirectResponse, Response

from vi.inference.errors import SourceError
from vi.inference.generation_config import PRESETS, GenerationConfig
from vi.inference.task_types import TASKS
from vi.server.envelope import ApiError
from vi.server.limits import Limits
from vi.server.routes.responses import ERRORS
from vi.workbench import sample, samples

PLAYGROUND = Path(__file__).parents[1] / "playground"


class SampleLink(BaseModel):
    """A sample picture and where it is."""

    name: str
    url: str


class Configuration(BaseModel):
    """schema: JSON Schema of a generation config. presets: name -> description and values. limits: of a request."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: dict[str, Any] = Field(alias="schema")
    presets: dict[str, dict[str, Any]]
    descriptions: dict[str, str]
    tasks: list[str]
    samples: list[SampleLink]
    limits: Limits


def page_routes(limits: Limits) -> APIRouter:
    """``/``, ``/playground/*``, ``/v1/config`` and ``/v1/samples/*``."""
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    async def index() -> Response:
        page = PLAYGROUND / "index.html"
        return FileResponse(page) if page.is_file() else RedirectResponse("/docs")

    @routes.get("/playground/{path:path}", include_in_schema=False)
    async def file(path: str) -> Response:
        return FileResponse(_beneath(PLAYGROUND, path), headers={"Cache-Control": "no-cache"})

    @routes.get("/v1/config", tags=["playground"], responses=ERRORS)
    async def configuration() -> Configuration:
        """What a request may set: the schema of its generation config, presets, tasks, samples, limits."""
        return Configuration(
            schema=GenerationConfig.model_json_schema(),
            presets={name: dict(preset.values) for name, preset in PRESETS.items()},
            descriptions={name: preset.description for name, preset in PRESETS.items()},
            tasks=list(TASKS),
            samples=[SampleLink(name=path.name, url=f"/v1/samples/{path.name}") for path in samples()],
            limits=limits,
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
