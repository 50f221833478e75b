"""The only door to the network: one bounded GET over http or https."""

from __future__ import annotations

import base64
import http
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import httpcore
import httpx

from ... import __version__
from ..errors import SourceError, SourceUnreachable
from .connection import Deadline, HostNotFound, connections
from .labels import byte_size, url_label

_REDIRECTS = (301, 302, 303, 307, 308)
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_HEADERS: dict[bytes | str, bytes | str] = {
    "Accept": "image/*,*/*;q=0.5",
    "Accept-Encoding": "identity",
    "User-Agent": f"vi-inference/{__version__}",
}


@dataclass(frozen=True)
class FetchLimits:
    """Bounds of one fetch. Times in seconds; ``total`` covers look-up, redirects, retries and the body together."""

    connect: float = 20.0
    total: float = 60.0
    max_bytes: int = 64 * 2**20
    redirects: int = 3
    retries: int = 2
    backoff: float = 0.5  # before the first retry; doubles with each


def fetch(url: str, limits: FetchLimits = FetchLimits()) -> bytes:
    """The body behind ``url``, whatever its content type says.

    Raises SourceUnreachable where the host does not answer in time or asks to be tried later, after the retries;
    SourceError where it answers with another status, redirects too often or elsewhere than http(s), or sends too
    much. No error carries the URL's user-info or query.
    """
    deadline = Deadline(limits.total)
    for attempt in range(limits.retries + 1):
        try:
            return _fetch_once(url, limits, deadline)
        except SourceUnreachable:
            pause = limits.backoff * 2**attempt
            if attempt == limits.retries or pause >= deadline.left():
                raise
            time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _fetch_once(url: str, limits: FetchLimits, deadline: Deadline) -> bytes:
    label = url_label(url)
    target = _parse(url, label)
    steps = {"timeout": {"connect": limits.connect}}  # the deadline bounds reads and writes
    for _ in range(limits.redirects + 1):
        try:
            with (
                connections(target, deadline) as pool,
                pool.stream("GET", _core_url(target), headers=_headers(target), extensions=steps) as response,
            ):
                if response.status not in _REDIRECTS:
                    return _body(response, label, limits.max_bytes)
                target = _next(target, response, label)
        except _FAILURES as error:
            raise _unreachable(error, label, limits, deadline) from error
    raise SourceError(f"{label} redirects more than {limits.redirects} times.", "Pass the address it ends at.")


def _parse(url: str, label: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
        usable = parsed.scheme in ("http", "https") and bool(parsed.raw_host) and (parsed.port or 1) < 65536
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        raise SourceError(f"{label} is not a valid http(s) URL.", "The form is https://host/path.")
    return parsed


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _headers(url: httpx.URL) -> dict[bytes | str, bytes | str]:
    headers = {"Host": url.netloc, **_HEADERS}
    if url.userinfo:
        pair = unquote(url.userinfo.decode("ascii"))
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers


def _next(url: httpx.URL, response: httpcore.Response, label: str) -> httpx.URL:
    location = _header(response, b"location")
    if not location:
        raise SourceError(f"{label} answered {response.status} without saying where to go.")
    try:
        target = url.join(location)  # keeps the user-info for a relative address only
    except (httpx.InvalidURL, ValueError):
        raise SourceError(f"{label} redirects to something that is not a URL.") from None
    if target.scheme not in ("http", "https") or not target.raw_host:
        raise SourceError(f"{label} redirects to {url_label(location)}, which is not http or https.")
    return target


def _body(response: httpcore.Response, label: str, max_bytes: int) -> bytes:
    status = response.status
    if status in _TRY_AGAIN:
        raise SourceUnreachable(f"{label} answered {_status(status)}.", "Try again later.")
    if status != 200:
        hint = {401: "It asks for a login.", 403: "It refuses access.", 404: "Check the address."}.get(status, "")
        raise SourceError(f"{label} answered {_status(status)}.", hint)
    coding = _header(response, b"content-encoding").lower()
    if coding not in ("", "identity"):  # never asked for, and a compressed body may be a bomb
        raise SourceError(f"{label} was sent compressed, though it was asked for as it is.")
    announced = _header(response, b"content-length")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise SourceError(f"{label} has {byte_size(int(announced))}; at most {byte_size(max_bytes)} are fetched.")
    return b"".join(_bounded(response.iter_stream(), label, max_bytes))


def _bounded(chunks: Iterator[bytes], label: str, max_bytes: int) -> Iterator[bytes]:
    count = 0
    for chunk in chunks:
        count += len(chunk)
        if count > max_bytes:
            raise SourceError(f"{label} sends more than {byte_size(max_bytes)}; the rest was not fetched.")
        yield chunk


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1").strip() for key, value in response.headers if key.lower() == name), "")


def _status(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
)


def _unreachable(error: Exception, label: str, limits: FetchLimits, deadline: Deadline) -> SourceError:
    origin: BaseException = error
    while (deeper := origin.__cause__ or origin.__context__) is not None:
        origin = deeper
    if isinstance(origin, ssl.SSLCertVerificationError):
        return SourceError(f"{label} has a certificate that cannot be trusted ({origin.verify_message}).")
    if isinstance(error, HostNotFound):
        reason = "its host name was not found"
    elif isinstance(origin, ConnectionRefusedError):
        reason = "the connection was refused"
    elif deadline.left() <= 0:
        reason = f"it was not complete after {limits.total:g} s"
    elif isinstance(error, httpcore.ConnectTimeout):
        reason = f"no connection within {limits.connect:g} s"
    elif isinstance(error, httpcore.RemoteProtocolError):
        reason = "the answer broke off or was not HTTP"
    elif isinstance(error, httpcore.ProxyError):
        reason = "the proxy refused"
    else:
        reason = "the connection broke"
    return SourceUnreachable(f"{label} cannot be reached ({reason}).", "Check the address and the network; try again.")
