"""Waiting for an answer no longer than the server allows and than its client does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from vi.server.envelope import ApiError

T = TypeVar("T")


class Patience:
    """One request's time, from when it is made."""

    def __init__(self, request: Request, seconds: float) -> None:
        self._request, self._seconds = request, seconds
        self._deadline = time.monotonic() + seconds

    @property
    def request_id(self) -> str:
        """Of its lines in the log."""
        return self._request.scope["state"]["request_id"]

    @property
    def left(self) -> float:
        """Seconds, at least 0."""
        return max(0.0, self._deadline - time.monotonic())

    def spent(self) -> ApiError:
        """The error of a request that took too long."""
        return ApiError(504, "timeout", f"The request took longer than {self._seconds:g} s.", "Ask for fewer tokens.")

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` returns or raises. It is cancelled, and ApiError raised, where the time ends first (504) and
        where the client goes away (499, which nobody reads)."""
        task, gone = asyncio.create_task(work), asyncio.create_task(self._gone())
        try:
            await asyncio.wait((task, gone), timeout=self.left, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise ApiError(499, "client_closed", "The client went away.") if gone.done() else self.spent()
        finally:
            for one in (task, gone):
                one.cancel()
            await asyncio.wait((task, gone))

    async def _gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
