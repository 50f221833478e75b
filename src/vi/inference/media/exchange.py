"""One GET over http or https: redirects followed, every hop checked, the body bounded."""

from __future__ import annotations

import base64
import http
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import BinaryIO
from urllib.parse import unquote

import httpcore
import httpx

from ... import __version__
from ..errors import SourceError, SourceUnreachable
from .connection import route
from .deadline import Deadline
from .labels import byte_size, url_label
from .policy import MediaPolicy
from .urls import parse_web_url
from .web_cache import Entry, key

_REDIRECTS = (301, 302, 303, 307, 308)
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_HEADERS: dict[bytes | str, bytes | str] = {
    "Accept": "image/*,video/*;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "identity",
    "User-Agent": f"vi-inference/{__version__}",
}


class AskedToWait(SourceUnreachable):
    """A host that says when to come again, in seconds from now (0 where it does not say)."""

    def __init__(self, message: str, hint: str, seconds: float) -> None:
        super().__init__(message, hint)
        self.seconds = seconds


@dataclass
class Body:
    """What has come of a body so far, over all attempts.

    file: where it is written, from ``start`` on. final: the key of the URL that sent it. validator: what tells that the
    rest is of the same file (a strong ETag or a date). etag, is_private: whether and how it may be kept.
    """

    file: BinaryIO
    start: int
    max_bytes: int
    count: int = 0
    final: str = ""
    validator: str = ""
    etag: str = ""
    is_private: bool = False


def get(url: str, label: str, body: Body, kept: Entry | None, policy: MediaPolicy, deadline: Deadline) -> bool:
    """Fetch ``url`` into ``body``, or the rest of it; False where ``kept`` is still what the host has.

    Raises SourceError, AskedToWait, and httpcore's errors for a connection that fails.
    """
    target = parse_web_url(url, label, policy)
    steps = {"timeout": {"connect": policy.connect_timeout}}  # the deadline bounds reads and writes
    for _ in range(policy.max_redirects + 1):
        place = key(str(target))
        way = route(target, policy, deadline)
        headers = _headers(target) | _conditions(place, body, kept)
        with way.pool as pool, pool.stream("GET", way.url, headers=headers, extensions=steps) as response:
            if response.status == 304 and "If-None-Match" in headers:
                return False
            if response.status not in _REDIRECTS:
                body.is_private = body.is_private or "Authorization" in headers
                _receive(response, label, place, body)
                return True
            target = _next(target, response, label, policy)
    raise SourceError(f"{label} redirects more than {policy.max_redirects} times.", "Pass the address it ends at.")


def _headers(url: httpx.URL) -> dict[bytes | str, bytes | str]:
    headers = {"Host": url.netloc, **_HEADERS}
    if url.userinfo:
        pair = unquote(url.userinfo.decode("ascii"))
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers


def _conditions(place: str, body: Body, kept: Entry | None) -> dict[bytes | str, bytes | str]:
    """Headers that ask for no more than is needed; tags are bytes of any kind, told as Latin-1."""
    if body.count and body.validator and place == body.final:
        return {"Range": f"bytes={body.count}-", "If-Range": body.validator.encode("latin-1")}
    if kept is not None and place == kept.final:
        return {"If-None-Match": kept.etag.encode("latin-1", "replace")}
    return {}


def _next(url: httpx.URL, response: httpcore.Response, label: str, policy: MediaPolicy) -> httpx.URL:
    location = _header(response, b"location")
    if not location:
        raise SourceError(f"{label} answered {response.status} without saying where to go.")
    try:
        target = url.join(location)  # keeps the user-info for a relative address only
    except (httpx.InvalidURL, ValueError):
        raise SourceError(f"{label} redirects to something that is not a URL.") from None
    if target.scheme not in ("http", "https") or not target.raw_host:
        raise SourceError(f"{label} redirects to {url_label(location)}, which is not http or https.")
    return parse_web_url(str(target), f"{url_label(str(target))} (where {label} redirects to)", policy)


def _receive(response: httpcore.Response, label: str, place: str, body: Body) -> None:
    _check_status(response, label, body)
    if _header(response, b"content-encoding").lower() not in ("", "identity"):
        # never asked for, and a compressed body may be a bomb
        raise SourceError(f"{label} was sent compressed, though it was asked for as it is.")
    if response.status == 200:
        _begin(response, place, body)
    announced = _header(response, b"content-length")
    if announced.isdecimal() and body.count + int(announced) > body.max_bytes:
        total = byte_size(body.count + int(announced))
        raise SourceError(f"{label} has {total}; at most {byte_size(body.max_bytes)} are fetched.")
    for chunk in response.iter_stream():
        if body.count + len(chunk) > body.max_bytes:
            raise SourceError(f"{label} sends more than {byte_size(body.max_bytes)}; the rest was not fetched.")
        body.file.write(chunk)
        body.count += len(chunk)


def _begin(response: httpcore.Response, place: str, body: Body) -> None:
    body.file.seek(body.start)
    body.file.truncate()
    body.count = 0
    body.final = place
    body.etag = _header(response, b"etag")
    strong = "" if body.etag.startswith("W/") else body.etag
    body.validator = strong or _header(response, b"last-modified")
    body.is_private = body.is_private or "no-store" in _header(response, b"cache-control").lower()


def _check_status(response: httpcore.Response, label: str, body: Body) -> None:
    status = response.status
    if status == 200 or (status == 206 and body.count and _range_start(response) == body.count):
        return
    if status in (206, 416) and body.count:  # the rest is not to be had: from the beginning, then
        body.count = 0
        raise AskedToWait(f"{label} broke off, and its rest was not sent.", "Try again.", 0.0)
    if status in _TRY_AGAIN:
        wait = _retry_after(_header(response, b"retry-after"))
        raise AskedToWait(f"{label} answered {_status(status)}.", "Try again later.", wait)
    hint = {401: "It asks for a login.", 403: "It refuses access.", 404: "Check the address."}.get(status, "")
    raise SourceError(f"{label} answered {_status(status)}.", hint)


def _range_start(response: httpcore.Response) -> int | None:
    found = re.match(r"bytes ([0-9]{1,18})-", _header(response, b"content-range"))
    return int(found[1]) if found else None


def _retry_after(value: str) -> float:
    """Seconds, of a number or an HTTP date (RFC 9110, section 10.2.3); 0 for neither."""
    if value.isdecimal():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def _header(response: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1").strip() for key, value in response.headers if key.lower() == name), "")


def _status(status: int) -> str:
    try:
        return f"{status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
