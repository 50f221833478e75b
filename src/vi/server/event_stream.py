"""Server-sent events of a request, which stop the generation when the client goes away."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from vi.inference.events import Event
from vi.server.envelope import as_api_error
from vi.server.metrics import Metrics
from vi.server.patience import Patience
from vi.server.replies import Replies

_log = logging.getLogger("vi.server")

READING_SECONDS = 10.0  # for a client to take what was written before its request's time was over

Line = Callable[[int, Event], str]


class EventStream(StreamingResponse):
    """The events of ``replies`` as lines, at the end ``last``; an error amid them is an event of its own."""

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncIterator[tuple[int, Event]],
        first: tuple[int, Event] | None,
        replies: Replies,
        patience: Patience,
        metrics: Metrics,
        line: Line,
        last: Callable[[], str],
    ) -> None:
        super().__init__(self._lines(first, events, line, last), headers={"Cache-Control": "no-store"})
        self._replies, self._patience, self._metrics = replies, patience, metrics

    @classmethod
    async def begin(
        cls, replies: Replies, patience: Patience, metrics: Metrics, line: Line, last: Callable[[], str] = lambda: ""
    ) -> EventStream:
        """Once there is a first event, so that what is wrong before it is a status and not an event.

        line: (number of the stream, event) -> text. last: the text behind all of them.
        """
        events = replies.__aiter__()
        try:
            first = await patience.wait(_next(events))
        except BaseException:
            replies.close()
            raise
        return cls(events, first, replies, patience, metrics, line, last)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.wait_for(super().__call__(scope, receive, send), self._patience.left + READING_SECONDS)
        except asyncio.TimeoutError:
            raise self._patience.spent() from None
        finally:  # also where the client went before the first line
            self._replies.close()

    async def _lines(
        self,
        first: tuple[int, Event] | None,
        events: AsyncIterator[tuple[int, Event]],
        line: Line,
        last: Callable[[], str],
    ) -> AsyncIterator[str]:
        try:
            item = first
            while item is not None:
                if text := line(*item):
                    yield text
                item = await asyncio.wait_for(_next(events), self._patience.left)
        except asyncio.TimeoutError:
            yield self._error(self._patience.spent())
        except Exception as error:
            yield self._error(error)
        else:
            yield last()

    def _error(self, error: Exception) -> str:
        told = as_api_error(error)
        if told is not error and told.status >= 500:
            _log.error("%s", error, exc_info=error, extra={"request_id": self._patience.request_id})
        self._metrics.failed(told.code)
        return f"event: error\ndata: {json.dumps(told.body(), ensure_ascii=False)}\n\n"


async def _next(events: AsyncIterator[tuple[int, Event]]) -> tuple[int, Event] | None:
    return await anext(events, None)
