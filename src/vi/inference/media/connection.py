"""Connections that end, and lead where they may: one deadline for every step, and every address checked."""

from __future__ import annotations

import os
import socket
import ssl
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpcore
import httpx

from ..errors import SourceError
from .addresses import is_public
from .background import within
from .deadline import Deadline
from .policy import MediaPolicy


class HostNotFound(httpcore.ConnectError):
    """A host name without an address."""


class AddressNotAllowed(httpcore.ConnectError):
    """A host one of whose addresses is not public, where the policy asks for that."""


@dataclass(frozen=True)
class Route:
    """A pool for one request, and the URL to ask of it: the target's, or one that names its address in its place."""

    pool: httpcore.ConnectionPool
    url: httpcore.URL


def route(url: httpx.URL, policy: MediaPolicy, deadline: Deadline) -> Route:
    """The way to ``url``, through the proxy that the environment names for it, if any.

    The host is looked up once, by whoever connects; where the policy wants public addresses, here, and the connection
    or the proxy is given the very address that was checked. A proxy itself may have any address.
    Raises SourceError for a proxy that is not http or https, or certificates that cannot be loaded.
    """
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    tls = _tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")) if url.scheme == "https" else None
    proxy = urllib.request.getproxies().get(url.scheme)
    if not proxy or urllib.request.proxy_bypass(url.host):
        backend = _BoundedBackend(deadline, public_only=not policy.private_addresses)
        return Route(httpcore.ConnectionPool(ssl_context=tls, http2=True, network_backend=backend), target)
    named: dict[str, str] = {}
    if not policy.private_addresses:
        host = url.raw_host.decode("ascii")
        step = Deadline(deadline.bound(policy.connect_timeout, httpcore.ConnectTimeout))
        address = _look_up(host, target.origin.port, step, public_only=True)[0]
        address = f"[{address}]" if ":" in address else address
        named[address] = host
        target = httpcore.URL(scheme=url.raw_scheme, host=address, port=url.port, target=url.raw_path)
    return Route(_through(_proxy_address(proxy), tls, _BoundedBackend(deadline, names=named)), target)


def _through(proxy: httpx.URL, tls: ssl.SSLContext | None, backend: httpcore.NetworkBackend) -> httpcore.HTTPProxy:
    return httpcore.HTTPProxy(
        httpcore.URL(scheme=proxy.raw_scheme, host=proxy.raw_host, port=proxy.port, target=b"/"),
        proxy_auth=(proxy.username, proxy.password) if proxy.userinfo else None,
        ssl_context=tls,
        http2=True,
        network_backend=backend,
    )


@lru_cache(maxsize=2)  # loading certificates takes longer than many a fetch
def _tls(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
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
    """names: address -> the host whose certificate is expected there, where the URL names the address."""

    def __init__(self, deadline: Deadline, *, public_only: bool = False, names: dict[str, str] | None = None) -> None:
        self._deadline = deadline
        self._public_only = public_only
        self._names = names or {}
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
        addresses = _look_up(host, port, step, self._public_only)
        for rest in range(len(addresses), 0, -1):  # a dead address leaves time for those after it
            seconds = step.bound(step.left() / rest, httpcore.ConnectTimeout)
            try:
                stream = self._sockets.connect_tcp(addresses[-rest], port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if rest == 1:
                    raise
            else:
                return _BoundedStream(stream, self._deadline, self._names)
        raise HostNotFound("no address")


class _BoundedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline, names: dict[str, str]) -> None:
        self._stream = stream
        self._deadline = deadline
        self._names = names

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.bound(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.bound(timeout, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = self._deadline.bound(timeout, httpcore.ConnectTimeout)
        name = self._names.get(server_hostname or "", server_hostname)
        return _BoundedStream(self._stream.start_tls(ssl_context, name, seconds), self._deadline, self._names)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def _look_up(host: str, port: int, step: Deadline, public_only: bool) -> list[str]:
    """The addresses of ``host``, first choice first. With ``public_only`` all of them must be."""
    try:
        found = within(step.left(), lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except TimeoutError:
        raise httpcore.ConnectTimeout("no address of the host in time") from None
    except (OSError, UnicodeError, OverflowError) as error:  # also a label over 63 letters
        raise HostNotFound(str(error)) from error
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if public_only and not all(map(is_public, addresses)):
        raise AddressNotAllowed("an address that is not public")
    return addresses
