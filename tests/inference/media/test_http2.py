"""Fetching over HTTP/2, with the same limits."""

from __future__ import annotations

import pytest
from tests.inference.media.http2 import Http2Web

from vi.inference.errors import SourceError
from vi.inference.media.fetch import fetch
from vi.inference.media.policy import MediaPolicy

QUICK = MediaPolicy(connect_timeout=5.0, timeout=10.0, max_bytes=1_000_000, backoff=0.01, cache_bytes=0)
BODY = bytes(range(256)) * 2000  # larger than the windows of flow control


def answer(headers):
    path = headers[":path"]
    if path == "/away":
        return [(":status", "302"), ("location", "/a.png")], b""
    if path == "/out":
        return [(":status", "302"), ("location", "file:///etc/passwd")], b""
    if path == "/bomb":
        return [(":status", "200"), ("content-encoding", "gzip")], b"\x1f\x8b" + bytes(1000)
    if path.startswith("/large"):
        return [(":status", "200")], BODY * 3
    return [(":status", "200"), ("content-length", str(len(BODY)))], BODY


@pytest.fixture
def web2(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    web = Http2Web(certificate, answer)
    yield web
    web.close()


def test_a_body_comes_whole_from_a_host_that_speaks_nothing_else(web2):
    assert fetch(f"{web2.url}/a.png?size=2", QUICK) == BODY
    (request,) = web2.requests
    assert request[":path"] == "/a.png?size=2"
    assert request[":authority"] == web2.url.removeprefix("https://")
    assert request["accept-encoding"] == "identity"


def test_a_redirect_is_followed_and_checked(web2):
    assert fetch(f"{web2.url}/away", QUICK) == BODY
    with pytest.raises(SourceError, match="redirects to"):
        fetch(f"{web2.url}/out", QUICK)


@pytest.mark.parametrize(("path", "said"), [("/large", r"sends more than 1\.0 MB"), ("/bomb", "sent compressed")])
def test_limits_hold(web2, path, said):
    with pytest.raises(SourceError, match=said):
        fetch(f"{web2.url}{path}", QUICK)


def test_user_info_reaches_the_host_and_no_error(web2):
    private = web2.url.replace("://", "://alice:hunter2@")
    assert fetch(f"{private}/a.png", QUICK) == BODY
    assert web2.requests[0]["authorization"].startswith("Basic ")
    with pytest.raises(SourceError) as caught:
        fetch(f"{private}/large?key=t0ken", QUICK)
    assert not any(secret in str(caught.value) for secret in ("alice", "hunter2", "t0ken"))
