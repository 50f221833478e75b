"""The only door to the network for http and https: retried, resumed, and kept where the host says how to check."""

from __future__ import annotations

import io
import ssl
import time
from contextlib import closing, nullcontext
from typing import BinaryIO

import httpcore

from ..errors import SourceError, SourceUnreachable
from .connection import AddressNotAllowed, HostNotFound
from .deadline import Deadline
from .exchange import AskedToWait, Body, get
from .labels import url_label
from .policy import MediaPolicy
from .web_cache import Entry, WebCache


def fetch(url: str, policy: MediaPolicy | None = None) -> bytes:
    """The body behind ``url``, at most ``policy.max_bytes``, whatever its content type says. Raises as ``download``."""
    body = io.BytesIO()
    download(url, body, policy)
    return body.getvalue()


def download(url: str, into: BinaryIO, policy: MediaPolicy | None = None, max_bytes: int | None = None) -> None:
    """Write the body behind ``url`` to ``into``, which can be read, sought and cut; at most ``max_bytes`` of them
    (of the policy's, where None).

    Raises SourceUnreachable where the host does not answer in time or asks to be tried later, after the retries;
    SourceError where it answers with another status, redirects too often, is not what the policy allows, or sends too
    much. No error carries the URL's user-info or query, nor the address of a host.
    """
    policy = MediaPolicy.coerce(policy)
    url = url.strip()
    body = Body(into, into.tell(), policy.max_bytes if max_bytes is None else max_bytes)
    cache = _cache(policy)
    kept = cache.find(url) if cache is not None else None
    with closing(kept) if kept is not None else nullcontext():
        usable = kept if kept is not None and kept.size <= body.max_bytes else None
        if not _fetch(url, body, usable, policy) and usable is not None:
            usable.copy_to(into)
            return
    if cache is not None and body.etag and not body.is_private:
        into.seek(body.start)
        cache.keep(url, body.final, body.etag, into, body.count)


def _cache(policy: MediaPolicy) -> WebCache | None:
    try:
        return WebCache(policy.cache_folder.expanduser(), policy.cache_bytes) if policy.cache_bytes else None
    except RuntimeError:  # a user without a home keeps nothing
        return None


def _fetch(url: str, body: Body, kept: Entry | None, policy: MediaPolicy) -> bool:
    """Whether the body came anew; False where ``kept`` is what the host still has."""
    label = url_label(url)
    deadline = Deadline(policy.timeout, label)
    for attempt in range(policy.retries + 1):
        failure: SourceError
        try:
            return get(url, label, body, kept, policy, deadline)
        except AskedToWait as error:
            failure, pause = error, max(error.seconds, policy.backoff * 2**attempt)
        except _FAILURES as error:
            failure, pause = _why(error, label, policy, deadline), policy.backoff * 2**attempt
            failure.__cause__ = error
        if not failure.retryable or attempt == policy.retries or pause >= deadline.left():
            raise failure
        time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


_FAILURES = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
)


def _why(error: Exception, label: str, policy: MediaPolicy, deadline: Deadline) -> SourceError:
    origin: BaseException = error
    while (deeper := origin.__cause__ or origin.__context__) is not None:
        origin = deeper
    if isinstance(error, AddressNotAllowed):
        return SourceError(
            f"{label} is not fetched: its host has an address that is not public, which the media policy asks for."
        )
    if isinstance(origin, ssl.SSLCertVerificationError):
        return SourceError(f"{label} has a certificate that cannot be trusted ({origin.verify_message}).")
    if isinstance(error, HostNotFound):
        reason = "its host name was not found"
    elif isinstance(origin, ConnectionRefusedError):
        reason = "the connection was refused"
    elif deadline.left() <= 0:
        reason = f"it was not complete after {policy.timeout:g} s"
    elif isinstance(error, httpcore.ConnectTimeout):
        reason = f"no connection within {policy.connect_timeout:g} s"
    elif isinstance(error, httpcore.RemoteProtocolError):
        reason = "the answer broke off or was not HTTP"
    elif isinstance(error, httpcore.ProxyError):
        reason = "the proxy refused"
    else:
        reason = "the connection broke"
    return SourceUnreachable(f"{label} cannot be reached ({reason}).", "Check the address and the network; try again.")
