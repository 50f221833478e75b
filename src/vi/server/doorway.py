"""What every request passes before its route: an id, a key, a host, a bound on its body; and a line in the log."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vi.server.envelope import ApiError, as_api_error

if TYPE_CHECKING:
    from vi.server.metrics import Metrics
    from vi.server.settings import ServerSettings

_log = logging.getLogger("vi.server")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OPEN = ("/v1/samples/",)  # pictures that a page shows, whose requests carry no key
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Doorway:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: ServerSettings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = Visit(scope, send, self._metrics)
        try:
            self._admit(visit.headers, scope["path"])
            body = Body(receive, self._settings, visit.headers)
            await self._app(scope, body.receive, visit.send)
        except Exception as error:
            await visit.refuse(error)
        finally:
            visit.end()

    def _admit(self, headers: Headers, path: str) -> None:
        """Raises ApiError for a request without the key it needs, or one that a web page elsewhere made."""
        settings = self._settings
        if settings.keys:
            guarded = (path.startswith("/v1/") and not path.startswith(_OPEN)) or path == "/metrics"
            if guarded and not settings.keys.admit(headers.get("authorization", "")):
                raise ApiError(
                    401,
                    "invalid_api_key",
                    "The request brings no valid API key.",
                    "Send one as: Authorization: Bearer KEY.",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            return
        # Without keys a browser on this machine is what stands between other people's pages and the server.
        if _hostname(headers.get("host", "")) not in _LOCAL | {settings.host}:
            raise ApiError(403, "host_not_allowed", "The server answers to localhost alone.", "Start it with API keys.")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            raise ApiError(403, "origin_not_allowed", "Pages of other origins may not ask this server.")


class Body:
    """A request's body as it arrives, up to a size and within a time."""

    def __init__(self, receive: Receive, settings: ServerSettings, headers: Headers) -> None:
        """Raises ApiError 413 for one that says it is too long."""
        self._receive = receive
        self._most = settings.limits.body_bytes
        self._deadline = time.monotonic() + settings.limits.body_seconds
        self._seconds = settings.limits.body_seconds
        self._count, self._complete = 0, False
        length = headers.get("content-length", "")
        if length.isdecimal():
            self._check(int(length))

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            left = max(0.0, self._deadline - time.monotonic())
            message = await asyncio.wait_for(self._receive(), left)
        except asyncio.TimeoutError:
            raise ApiError(
                408,
                "body_timeout",
                f"The body did not arrive within {self._seconds:g} s.",
                headers={"Connection": "close"},
            ) from None
        if message["type"] == "http.request":
            self._count += len(message.get("body", b""))
            self._check(self._count)
            self._complete = not message.get("more_body", False)
        return message

    def _check(self, count: int) -> None:
        if count > self._most:
            raise ApiError(
                413,
                "body_too_large",
                f"The body has more than {self._most:,} bytes.",
                "Send a smaller picture, or its URL.",
                headers={"Connection": "close"},
            )


class Visit:
    """One request and its response, counted and logged once."""

    def __init__(self, scope: Scope, send: Send, metrics: Metrics) -> None:
        self.headers = Headers(scope=scope)
        self._scope, self._send, self._metrics = scope, send, metrics
        given = self.headers.get("x-request-id", "")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = self.request_id
        self._started = time.monotonic()
        self._status, self._bytes = 0, 0  # 0: the client went away first

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            headers["x-content-type-options"] = "nosniff"
        elif message["type"] == "http.response.body":
            self._bytes += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, error: Exception) -> None:
        """Answer with an error; one that comes amid a response breaks it off."""
        told = as_api_error(error)
        if told.status >= 500 and told is not error:
            _log.error("%s", error, exc_info=error, extra=self._facts())
        self._metrics.failed(told.code)
        if not self._status:
            await told.response()(self._scope, _nothing, self.send)

    def end(self) -> None:
        seconds = time.monotonic() - self._started
        _log.info("request", extra=self._facts() | {"seconds": round(seconds, 4), "bytes": self._bytes})
        route = getattr(self._scope.get("route"), "path", "none")
        self._metrics.responded(route, self._status, seconds)

    def _facts(self) -> dict[str, Any]:
        scope = self._scope
        client = scope["client"][0] if scope.get("client") else None
        facts = {"method": scope["method"], "path": scope["path"][:200], "status": self._status, "client": client}
        return facts | {"request_id": self.request_id}


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
