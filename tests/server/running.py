"""A real server in this process, on a port of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from vi.server.app import create_app
from vi.server.settings import ServerSettings


@dataclass
class Running:
    """url: where it is, without a slash at the end. serving: its parts."""

    url: str
    port: int
    serving: Any
    uvicorn: uvicorn.Server

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=120, trust_env=False, **options)

    def until(self, true: Any, seconds: float = 30) -> bool:
        """Whether ``true()`` holds within so many seconds."""
        deadline = time.monotonic() + seconds
        while not (found := true()) and time.monotonic() < deadline:
            time.sleep(0.01)
        return bool(found)

    def is_idle(self) -> bool:
        """Whether nothing is underway, in the server and in its engines."""
        states = [model.state for _, model in self.serving.shelf.loaded()]
        return self.serving.gate.underway == 0 and not any(state.running or state.waiting for state in states)


@contextmanager
def running(settings: ServerSettings, *, ready: bool = True) -> Iterator[Running]:
    """ready: begin once the first model is loaded."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="on"))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), name="server")
    thread.start()
    found = Running(f"http://127.0.0.1:{port}", port, app.state.serving, server)
    try:
        assert found.until(lambda: server.started)
        assert not ready or found.until(lambda: list(found.serving.shelf.loaded()), 120)
        yield found
    finally:
        server.should_exit = True
        thread.join(60)
        listener.close()
    assert not thread.is_alive()
