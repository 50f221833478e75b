"""``/v1/predict``: our own typed answers, from JSON or a form with a file."""

from __future__ import annotations

import json
import uuid
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from vi.inference.events import DoneEvent, Event
from vi.inference.task_types.response import PredictionResponse
from vi.server.asking import Question, generation_config, require_prompt, require_schema, web_source
from vi.server.bodies import read_body
from vi.server.envelope import ApiError
from vi.server.event_stream import EventStream
from vi.server.patience import Patience
from vi.server.replies import as_json
from vi.server.routes.responses import ERRORS
from vi.server.serving import Serving


class PredictRequest(BaseModel):
    """What ``ViModel.__call__`` takes; ``source`` is a URL or a data: URI."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = Field(None, description="A name of /v1/models; the first if not given.")
    source: str = Field(description="http(s) URL or data: URI of a picture or clip.")
    user_prompt: str | None = Field(None, description="What to ask; the task's own words if not given.")
    task_type: str | None = Field(None, description="The model's own if not given.")
    response_format: dict[str, Any] | None = Field(None, description="JSON Schema that the answer conforms to.")
    cot: bool = Field(False, description="Think before answering.")
    fps: float = Field(4.0, gt=0, allow_inf_nan=False, description="Frames per second of a clip.")
    generation_config: dict[str, Any] | str | None = Field(None, description="Parameters, or a preset's name.")
    stream: bool = Field(False, description="Server-sent events as the answer is written.")


class PredictReply(BaseModel):
    """response: the typed answer's JSON; its ``type`` names the class."""

    id: str
    model: str
    response: dict[str, Any]


FORM = {**PredictRequest.model_json_schema()["properties"], "file": {"type": "string", "format": "binary"}}
del FORM["source"]
BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": PredictRequest.model_json_schema()},
        "multipart/form-data": {"schema": {"type": "object", "properties": FORM, "required": ["file"]}},
    },
}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"model": PredictReply, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
_JSON_FIELDS = ("cot", "fps", "stream", "response_format", "generation_config")  # what a form has as JSON text


def predict_routes(serving: Serving) -> APIRouter:
    """``POST /v1/predict``."""
    routes = APIRouter()

    @routes.post("/v1/predict", tags=["predict"], responses=ERRORS | EVENTS, openapi_extra={"requestBody": BODY})
    async def predict(request: Request) -> Response:
        """Ask about one picture or clip; a typed answer, or with ``stream`` its events.

        As JSON with a ``source``, or as a form with a ``file`` and the same fields, those that are not text as JSON.
        """
        asked, file = await _read(request)
        question = _question(asked, file, serving)
        name, patience = serving.shelf.require(asked.model), Patience(request, serving.limits.request_seconds)
        id = f"predict-{uuid.uuid4().hex}"
        if asked.stream:
            replies = await patience.wait(serving.begin(name, [question], pieces=True))
            return await EventStream.begin(replies, patience, serving.metrics, lambda _, event: _line(event, id, name))
        answer = await patience.wait(_answer(serving, name, question))
        return JSONResponse({"id": id, "model": name, "response": as_json(answer)})

    return routes


async def _answer(serving: Serving, name: str, question: Question) -> PredictionResponse:
    replies = await serving.begin(name, [question], pieces=False)
    try:
        (answer,) = await replies.answers()
        return answer
    finally:
        replies.close()


def _question(asked: PredictRequest, file: bytes | None, serving: Serving) -> Question:
    limits = serving.limits
    return Question(
        sources=(web_source(asked.source) if file is None else file,),
        prompt=require_prompt(asked.user_prompt, limits, "user_prompt"),
        config=generation_config(asked.generation_config, limits),
        limits=limits,
        task_type=asked.task_type,
        response_format=require_schema(asked.response_format, limits),
        cot=asked.cot,
        fps=asked.fps,
    )


def _line(event: Event, id: str, model: str) -> str:
    if isinstance(event, DoneEvent):
        done = {"type": "done", "id": id, "model": model, "response": as_json(event.response)}
        return f"event: done\ndata: {json.dumps(done, ensure_ascii=False)}\n\n"
    return f"event: {event.type}\ndata: {event.model_dump_json()}\n\n"


async def _read(request: Request) -> tuple[PredictRequest, bytes | None]:
    """The request, and the file that came with it. Raises ApiError 400."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return read_body(PredictRequest, await request.body()), None
    if kind != "multipart/form-data":
        message = "The body is neither application/json nor multipart/form-data."
        raise ApiError(415, "unsupported_media_type", message, param="Content-Type")
    async with request.form(max_files=1, max_fields=20) as form:
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise ApiError(400, "missing_parameter", "The form has no file.", "curl -F file=@bench.png", param="file")
        content = await file.read()
    values = {name: _value(name, text) for name, text in fields.items()}
    values.setdefault("source", "file")
    return read_body(PredictRequest, json.dumps(values).encode()), content


def _value(name: str, text: str) -> Any:
    """A form's field: text, or what its JSON says where it is not text."""
    if name not in _JSON_FIELDS:
        return text
    try:
        return json.loads(text)
    except ValueError:
        if name == "generation_config":  # a preset's name
            return text
        raise ApiError(400, "invalid_json", f"{name} is not JSON.", param=name) from None
