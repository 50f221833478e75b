"""The process that serves: uvicorn around the application, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import signal
import socket

import uvicorn

from vi.inference.errors import ConfigError
from vi.server.app import create_app
from vi.server.logs import log_to_stderr
from vi.server.settings import ServerSettings

BACKLOG = 2048


def serve(settings: ServerSettings, listener: socket.socket) -> None:
    """Serve until a signal; requests that run then have ``limits.drain_seconds`` to end.

    listener: see ``listen``. Raises KeyboardInterrupt after Ctrl-C.
    """
    log_to_stderr()
    config = uvicorn.Config(
        create_app(settings),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=int(settings.limits.drain_seconds),
        limit_concurrency=4 * settings.limits.underway + 16,
    )
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn raises it again when all is done
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there, port 0 at a free one. Raises ConfigError where the address cannot be bound."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{host}:{port} cannot be bound: {reason}.", "Give another --port or --host.") from None
    return listener
