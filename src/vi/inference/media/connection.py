"""Connections that end: every look-up, connect, handshake, read and write shares one deadline."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import urllib.request
from typing import Any

import httpcore
import httpx

from ..errors import SourceError


class HostNotFound(httpcore.ConnectError):
    """A host name without an address."""


class Deadline:
    """A moment, ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds until then; negative afterwards."""
        return self._end - time.monotonic()

    def bound(self, timeout: float | None, late: type[Exception]) -> float:
        """``timeout`` or what is left, whichever is shorter; raises ``late`` where nothing is left."""
        left = self.left()
        if left <= 0:
            raise late("the deadline has passed")
        return left if timeout is None else min(timeout, left)


def connections(url: httpx.URL, deadline: Deadline) -> httpcore.ConnectionPool:
    """A pool for one request to ``url``, through the proxy that the environment names for it, if any.

    Raises SourceError for a proxy that is not http or https, or certificates that cannot be loaded.
    """
    backend = _BoundedBackend(deadline)
    context = _tls() if url.scheme == "https" else None
    proxy = urllib.request.getproxies().get(url.scheme)
    if not proxy or urllib.request.proxy_bypass(url.host):
        return httpcore.ConnectionPool(ssl_context=context, network_backend=backend)
    address = _proxy_address(proxy)
    return httpcore.HTTPProxy(
        httpcore.URL(scheme=address.raw_scheme, host=address.raw_host, port=address.port, target=b"/"),
        proxy_auth=(address.username, address.password) if address.userinfo else None,
        ssl_context=context,
        network_backend=backend,
    )


def _tls() -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        hint = "Check SSL_CERT_FILE and SSL_CERT_DIR."
        raise SourceError(f"The certificates for https cannot be loaded ({error.strerror}).", hint) from error


def _proxy_address(proxy: str) -> httpx.URL:
    try:
        address = httpx.URL(proxy if "://" in proxy else f"http://{proxy}")
        usable = address.scheme in ("http", "https") and bool(address.raw_host)
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise SourceError("The proxy that the environment names is not an http or https URL.", "Check http_proxy.")
    return address


class _BoundedBackend(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        step = Deadline(self._deadline.bound(timeout, httpcore.ConnectTimeout))
        addresses = _look_up(host, port, step)
        for rest in range(len(addresses), 0, -1):  # a dead address leaves time for those after it
            seconds = step.bound(step.left() / rest, httpcore.ConnectTimeout)
            try:
                stream = self._sockets.connect_tcp(addresses[-rest], port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if rest == 1:
                    raise
            else:
                return _BoundedStream(stream, self._deadline)
        raise HostNotFound("no address")


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.bound(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.bound(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._deadline.bound(timeout, httpcore.ConnectTimeout)
        return _BoundedStream(self._stream.start_tls(ssl_context, server_hostname, seconds), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def _look_up(host: str, port: int, step: Deadline) -> list[str]:
    """The addresses of ``host``, first choice first; the system's resolver has no time limit of its own."""
    found: list[Any] = []

    def resolve() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError, OverflowError) as error:  # also a label over 63 letters
            found.append(error)

    thread = threading.Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(max(0.0, step.left()))
    if not found:
        raise httpcore.ConnectTimeout("no address of the host in time")
    if isinstance(found[0], Exception):
        raise HostNotFound(str(found[0])) from found[0]
    return list(dict.fromkeys(info[4][0] for info in found[0]))
