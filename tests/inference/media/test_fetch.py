from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from vi.inference.errors import SourceError, SourceUnreachable
from vi.inference.media.fetch import fetch
from vi.inference.media.policy import MediaPolicy

QUICK = MediaPolicy(connect_timeout=5.0, timeout=10.0, max_bytes=100_000, backoff=0.01, cache_bytes=0)
SHORT = MediaPolicy(connect_timeout=0.3, timeout=0.3, max_bytes=100_000, retries=1, backoff=0.01, cache_bytes=0)
SECRETS = ("hunter2", "alice", "t0ken")


def private(web, path: str) -> str:
    return web.url(path).replace("://", "://alice:hunter2@") + "?key=t0ken#t0ken"


def test_the_body_comes_back_whole(web):
    assert fetch(web.serve_bytes("/a.png", b"x" * 70_000), QUICK) == b"x" * 70_000


def test_a_query_reaches_the_server(web):
    web.serve_bytes("/a.png", b"x")
    fetch(web.url("/a.png?size=2&key=t0ken"), QUICK)
    assert web.requests[0][0] == "/a.png?size=2&key=t0ken"


def test_user_info_becomes_basic_authorization(web):
    web.serve_bytes("/a.png", b"x")
    fetch(web.url("/a.png").replace("://", "://alice:hunter%202@"), QUICK)
    assert web.requests[0][1]["Authorization"] == "Basic YWxpY2U6aHVudGVyIDI="
    assert "@" not in web.requests[0][1]["Host"]


def test_a_relative_redirect_is_followed_with_its_authorization(web):
    web.serve_bytes("/deep/b.png", b"there")
    web.redirect("/deep/a.png", "b.png")
    assert fetch(private(web, "/deep/a.png"), QUICK) == b"there"
    assert "Authorization" in web.requests[-1][1]


def test_another_origin_is_not_told_the_password(web):
    target = web.serve_bytes("/b.png", b"there")
    web.redirect("/a.png", target)
    assert fetch(private(web, "/a.png"), QUICK) == b"there"
    assert "Authorization" not in web.requests[-1][1]


def test_three_redirects_are_followed_and_a_fourth_is_not(web):
    web.serve_bytes("/0", b"end")
    for i in range(1, 5):
        web.redirect(f"/{i}", f"/{i - 1}")
    assert fetch(web.url("/3"), QUICK) == b"end"
    with pytest.raises(SourceError, match="redirects more than 3 times"):
        fetch(web.url("/4"), QUICK)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://alice:hunter2@h/x?t0ken", "data:image/png,x"])
def test_a_redirect_leads_to_http_only(web, location):
    with pytest.raises(SourceError, match="redirects to") as caught:
        fetch(web.redirect("/a", location), QUICK)
    assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize(("status", "said"), [(404, "404 Not Found"), (403, "403 Forbidden"), (410, "410 Gone")])
def test_a_refusal_is_named_and_not_retried(web, status, said):
    web.serve_bytes("/a.png", b"no", status=status)
    with pytest.raises(SourceError, match=said) as caught:
        fetch(private(web, "/a.png"), QUICK)
    assert not isinstance(caught.value, SourceUnreachable)
    assert len(web.requests) == 1
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_a_passing_failure_is_tried_again(web):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(503 if len(web.requests) < 3 else 200)
        request.end_headers()
        request.wfile.write(b"late")

    assert fetch(web.serve("/a.png", answer), QUICK) == b"late"
    assert len(web.requests) == 3


def test_a_lasting_failure_is_given_up_after_two_retries(web):
    web.serve_bytes("/a.png", b"", status=503)
    with pytest.raises(SourceUnreachable, match="503 Service Unavailable") as caught:
        fetch(web.url("/a.png"), QUICK)
    assert caught.value.retryable
    assert len(web.requests) == 3


def test_an_announced_length_over_the_limit_is_refused_unread(web):
    with pytest.raises(SourceError, match="200 kB; at most 100 kB"):
        fetch(web.serve_bytes("/a.png", b"x" * 200_000), QUICK)


def test_an_endless_body_is_cut(web):
    def endless(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b"x" * 8192)

    with pytest.raises(SourceError, match="sends more than 100 kB"):
        fetch(web.serve("/a.png", endless), QUICK)


def drip(web, first: bytes) -> str:
    """A body, or headers, that come a byte at a time until the test is over."""
    gone = threading.Event()

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(first)
        while not gone.wait(0.02):
            request.wfile.write(b"x")

    return web.serve("/slow.png", answer)


@pytest.mark.parametrize("first", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nX: "], ids=["body", "headers"])
def test_a_dripping_answer_ends_at_the_total_time(web, first):
    with pytest.raises(SourceUnreachable, match=r"not complete after 0\.3 s"):
        fetch(drip(web, first), SHORT)


def test_a_server_that_says_nothing_ends_at_the_total_time(web):
    gone = threading.Event()
    url = web.serve("/mute.png", lambda request: gone.wait(10) and None)
    with pytest.raises(SourceUnreachable, match=r"not complete after 0\.3 s"):
        fetch(url, SHORT)
    gone.set()


def test_a_body_that_breaks_off_is_said_to(web):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"x" * 10)

    with pytest.raises(SourceUnreachable, match="broke off"):
        fetch(web.serve("/a.png", answer), QUICK)


def test_a_compressed_body_is_refused(web):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Encoding", "gzip")
        request.end_headers()

    with pytest.raises(SourceError, match="compressed"):
        fetch(web.serve("/a.png", answer), QUICK)
    assert web.requests[0][1]["Accept-Encoding"] == "identity"


def test_a_closed_port_is_unreachable():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(SourceUnreachable, match="connection was refused") as caught:
        fetch(f"http://alice:hunter2@127.0.0.1:{port}/a.png?t0ken", QUICK)
    assert f"http://127.0.0.1:{port}/a.png" in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_an_unknown_host_is_unreachable(web):
    with pytest.raises(SourceUnreachable, match="host name was not found"):
        fetch(f"http://{'a' * 64}.invalid/a.png", QUICK)  # too long a label to be asked about


@pytest.mark.parametrize(
    "url",
    ["http://", "http:///a.png", "ftp://host/a.png", "http://alice:hunter2@h:t0ken/", "http://h:65536/", "http:x"],
)
def test_what_is_not_an_http_url_is_refused_without_a_connection(url):
    with pytest.raises(SourceError, match="not a valid http") as caught:
        fetch(url, QUICK)
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_the_environments_proxy_is_asked(web, monkeypatch):
    monkeypatch.setenv("http_proxy", web.url("/").replace("://", "://alice:hunter2@"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    web.serve_bytes("http://pictures.invalid/a.png", b"by proxy")
    assert fetch("http://pictures.invalid/a.png", QUICK) == b"by proxy"
    assert web.requests[0][1]["Proxy-Authorization"] == "Basic YWxpY2U6aHVudGVyMg=="


@pytest.mark.parametrize("proxy", ["socks5://alice:hunter2@h:1", "http://", "http://alice:hunter2@h:t0ken"])
def test_an_unusable_proxy_is_an_error_without_its_password(web, monkeypatch, proxy):
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(SourceError, match="proxy that the environment names") as caught:
        fetch(web.url("/a.png"), QUICK)
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_certificates_that_are_missing_are_an_error(web, monkeypatch, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(SourceError, match="certificates for https cannot be loaded"):
        fetch("https://127.0.0.1:9/a.png", QUICK)


def in_pieces(web, body: bytes, first: int, **headers: str):
    """An answer that breaks off after ``first`` bytes, and serves ranges of the rest."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        request.send_response(206 if asked else 200)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        if asked:
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        request.wfile.write(body[start:] if asked else body[:first])

    return web.serve("/a.png", answer)


BODY = bytes(range(256)) * 300


@pytest.mark.parametrize("headers", [{"ETag": '"v1"'}, {"Last_Modified": "Mon, 23 Nov 2026 10:00:00 GMT"}])
def test_a_body_that_breaks_off_is_resumed_where_it_can_be_told_to_be_the_same(web, headers):
    assert fetch(in_pieces(web, BODY, 50_000, **headers), QUICK) == BODY
    (validator,) = headers.values()
    assert [(h.get("Range"), h.get("If-Range")) for _, h in web.requests] == [(None, None), ("bytes=50000-", validator)]


@pytest.mark.parametrize("headers", [{}, {"ETag": 'W/"v1"'}])
def test_a_body_that_may_have_changed_is_fetched_anew(web, headers):
    url = in_pieces(web, BODY, 50_000, **headers)
    with pytest.raises(SourceUnreachable, match="broke off"):
        fetch(url, QUICK)
    assert all("Range" not in asked for _, asked in web.requests)


def test_a_file_that_did_change_is_taken_whole(web):
    def answer(request: BaseHTTPRequestHandler) -> None:
        first = len(web.requests) == 1
        request.send_response(200)
        request.send_header("ETag", '"old"' if first else '"new"')
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"x" * 500 if first else b"y" * 1000)

    assert fetch(web.serve("/a.png", answer), QUICK) == b"y" * 1000


@pytest.mark.parametrize("status", [206, 416])
def test_a_wrong_rest_is_thrown_away(web, status):
    def answer(request: BaseHTTPRequestHandler) -> None:
        if request.headers.get("Range"):
            request.send_response(status)
            request.send_header("Content-Range", "bytes 7-9/10")
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("ETag", '"v1"')
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"x" * (500 if len(web.requests) == 1 else 1000))

    assert fetch(web.serve("/a.png", answer), QUICK) == b"x" * 1000
    assert len(web.requests) == 3


def test_a_part_that_was_not_asked_for_is_refused(web):
    web.serve_bytes("/a.png", b"part", status=206)
    with pytest.raises(SourceError, match="206 Partial Content"):
        fetch(web.url("/a.png"), QUICK)


@pytest.mark.parametrize("wait", ["30", "Fri, 01 Jan 2100 00:00:00 GMT"])
def test_a_host_that_asks_for_more_time_than_there_is_is_given_up_at_once(web, wait):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(429)
        request.send_header("Retry-After", wait)
        request.end_headers()

    with pytest.raises(SourceUnreachable, match="429"):
        fetch(web.serve("/a.png", answer), QUICK)
    assert len(web.requests) == 1


@pytest.mark.parametrize("wait", ["0", "Thu, 01 Jan 2026 00:00:00 GMT", "soon", "9" * 400, "-1"])
def test_a_host_may_say_when_to_come_again(web, wait, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr("vi.inference.media.fetch.time.sleep", pauses.append)

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(503 if len(web.requests) == 1 else 200)
        request.send_header("Retry-After", wait)
        request.end_headers()
        request.wfile.write(b"late")

    url = web.serve("/a.png", answer)
    if len(wait) > 100:
        with pytest.raises(SourceUnreachable):
            fetch(url, QUICK)
    else:
        assert fetch(url, QUICK) == b"late"
        assert pauses == [QUICK.backoff]


def test_a_retry_waits_as_long_as_it_was_asked_to(web, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr("vi.inference.media.fetch.time.sleep", pauses.append)

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(503 if len(web.requests) == 1 else 200)
        request.send_header("Retry-After", "7")
        request.end_headers()

    fetch(web.serve("/a.png", answer), QUICK)
    assert pauses == [7.0]


def tagged(web, body: bytes, **headers: str):
    """An answer with an ETag, which says 304 to who has it already."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        same = request.headers.get("If-None-Match") == '"v1"'
        request.send_response(304 if same else 200)
        request.send_header("ETag", '"v1"')
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        if not same:
            request.wfile.write(body)

    return answer


@pytest.fixture
def keeping(tmp_path):
    return QUICK.model_copy(update={"cache_bytes": 10**6, "cache_folder": tmp_path / "cache"})


def test_what_has_not_changed_is_not_sent_again(web, keeping):
    url = web.serve("/a.png", tagged(web, BODY))
    assert [fetch(url, keeping), fetch(url + "#part", keeping)] == [BODY, BODY]
    assert [headers.get("If-None-Match") for _, headers in web.requests] == [None, '"v1"']


def test_what_has_changed_is_fetched_and_kept_anew(web, keeping):
    url = web.serve("/a.png", tagged(web, b"old"))
    fetch(url, keeping)
    web.serve("/a.png", lambda request: tagged(web, b"new")(strip(request)))
    assert fetch(url, keeping) == b"new"


def strip(request: BaseHTTPRequestHandler) -> BaseHTTPRequestHandler:
    del request.headers["If-None-Match"]
    return request


def test_who_is_redirected_elsewhere_is_not_told_of_what_is_kept(web, keeping):
    web.serve("/1.png", tagged(web, b"one"))
    web.serve("/2.png", tagged(web, b"two"))
    url = web.redirect("/a.png", "/1.png")
    assert fetch(url, keeping) == b"one"
    web.redirect("/a.png", "/2.png")  # with the same tag, as counters have it
    assert fetch(url, keeping) == b"two"


@pytest.mark.parametrize("as_whom", ["", "alice:hunter2@"])
@pytest.mark.parametrize("control", ["no-store", "max-age=60"])
def test_what_is_private_is_not_kept(web, keeping, as_whom, control):
    web.serve("/a.png", tagged(web, b"body", Cache_Control=control))
    fetch(web.url("/a.png").replace("://", f"://{as_whom}"), keeping)
    kept = list(keeping.cache_folder.iterdir()) if keeping.cache_folder.exists() else []
    assert bool(kept) == (not as_whom and control != "no-store")
    assert not any("127.0.0.1" in path.read_text("latin-1") for path in kept)


def test_a_kept_file_over_the_limit_is_not_given(web, keeping):
    url = web.serve("/a.png", tagged(web, BODY))
    fetch(url, keeping)
    with pytest.raises(SourceError, match="more than 10 kB"):
        fetch(url, keeping.model_copy(update={"max_bytes": 10_000}))


def test_a_kept_file_is_asked_about_where_the_policy_allows_it_only(web, keeping):
    url = web.serve("/a.png", tagged(web, BODY))
    fetch(url, keeping)
    strict = MediaPolicy.untrusted(cache_folder=keeping.cache_folder)
    with pytest.raises(SourceError, match="not public"):
        fetch(url, strict)


def raw(web, *parts: bytes) -> str:
    """An answer made of exactly these bytes."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"".join(parts))
        request.close_connection = True

    return web.serve("/a.png", answer)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"\0\xff\xfe", b"not HTTP at all\r\n\r\n", b"HTTP/1.1 200\r\n", b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: \xb2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: \r\n\r\n", b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe//\x80\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://\xe2\x80\x8b/\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n", b"HTTP/1.1 101 Switching\r\n\r\n", b"HTTP/1.1 799 \x80\xff\r\n\r\n",
        b"HTTP/1.1 503 X\r\nRetry-After: \xb2\r\n\r\n", b"HTTP/1.1 503 X\r\nRetry-After: " + b"9" * 9000 + b"\r\n\r\n",
    ],
)  # fmt: skip
def test_whatever_a_host_says_is_a_source_error(web, answer):
    with pytest.raises(SourceError) as caught:
        fetch(raw(web, answer), QUICK)
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()


def test_a_tag_of_odd_bytes_is_given_back_as_it_came(web, keeping):
    tag = b'"caf\xe9"'
    raw(web, b"HTTP/1.0 200 OK\r\nETag: ", tag, b"\r\n\r\nbody")
    assert fetch(web.url("/a.png"), keeping) == fetch(web.url("/a.png"), keeping) == b"body"
    assert web.requests[1][1]["If-None-Match"].encode("latin-1") == tag
