"""``/v1/chat/completions``: OpenAI's chat API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from vi.server.asking import Question
from vi.server.chat_reply import ChatCompletion, Head
from vi.server.chat_request import ChatRequest
from vi.server.chat_stream import Chunks
from vi.server.event_stream import EventStream
from vi.server.patience import Patience
from vi.server.routes.responses import ERRORS
from vi.server.serving import Serving

OK: dict[int | str, dict[str, Any]] = {
    200: {"model": ChatCompletion, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


def chat_routes(serving: Serving) -> APIRouter:
    """``POST /v1/chat/completions``."""
    routes = APIRouter()

    @routes.post("/v1/chat/completions", tags=["chat"], responses=ERRORS | OK)
    async def complete(asked: ChatRequest, request: Request) -> Response:
        """Answer the last message of a conversation about pictures or a clip, or in words alone."""
        head = Head(serving.shelf.require(asked.model))
        questions = asked.questions(serving.limits)
        patience = Patience(request, serving.limits.request_seconds)
        if not asked.stream:
            return JSONResponse((await patience.wait(_whole(serving, head, questions))).model_dump())
        replies = await patience.wait(serving.begin(head.model, questions, pieces=True))
        with_usage = asked.stream_options is not None and asked.stream_options.include_usage
        chunks = Chunks(head, with_usage=with_usage)
        return await EventStream.begin(replies, patience, serving.metrics, chunks.line, chunks.last)

    return routes


async def _whole(serving: Serving, head: Head, questions: list[Question]) -> ChatCompletion:
    replies = await serving.begin(head.model, questions, pieces=False)
    try:
        return head.whole(await replies.answers())
    finally:
        replies.close()
