"""A real server on loopback, and resolvers that lie."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from vi.inference.errors import SourceError, SourceUnreachable
from vi.inference.media import connection
from vi.inference.media.fetch import fetch
from vi.inference.media.policy import MediaPolicy

STRICT = MediaPolicy.untrusted(connect_timeout=5.0, timeout=10.0, backoff=0.01, cache_bytes=0)


class Names:
    """A resolver of a few names: each look-up of a name gives the next of its answers, the last for ever."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self._system = socket.getaddrinfo

    def __call__(self, host, port, *rest, **options):
        name = host.decode() if isinstance(host, bytes) else host
        if name not in self.answers:
            ipaddress.ip_address(name)  # the system's resolver is asked about numbers only
            return self._system(host, port, *rest, **options)
        self.asked.append(name)
        several = self.answers[name]
        addresses = several.pop(0) if len(several) > 1 else several[0]
        return [entry for address in addresses for entry in self._system(address, port, *rest, **options)]


@pytest.fixture
def names(monkeypatch):
    def install(**answers: list[list[str]]) -> Names:
        resolver = Names({name.replace("_", "."): each for name, each in answers.items()})
        monkeypatch.setattr(socket, "getaddrinfo", resolver)
        return resolver

    return install


@pytest.fixture
def loopback_is_public(monkeypatch):
    """So that a server of ours can stand for one on the internet: 127.0.0.1 alone is public."""
    monkeypatch.setattr(connection, "is_public", lambda address: address == "127.0.0.1")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "0.0.0.0", "[::]",
     "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "[fe80::1]", "224.0.0.1", "168.63.129.16"],
)  # fmt: skip
def test_untrusted_sources_reach_no_address_that_is_not_public(web, host):
    web.serve_bytes("/a.png", b"secret")
    with pytest.raises(SourceError, match="not public") as caught:
        fetch(f"http://alice:hunter2@{host}:{web.port}/a.png?t0ken", STRICT)
    assert web.requests == []
    assert not isinstance(caught.value, SourceUnreachable)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["0177.0.0.1", "2130706433", "0x7f.1", "127.1", "127.0.0.1.", "①②⑦.0.0.1"])
@pytest.mark.parametrize("policy", [STRICT, MediaPolicy(cache_bytes=0)], ids=["untrusted", "default"])
def test_odd_spellings_of_an_address_reach_nothing(web, host, policy):
    web.serve_bytes("/a.png", b"secret")
    with pytest.raises(SourceError):
        fetch(f"http://{host}:{web.port}/a.png", policy)
    assert web.requests == []


def test_a_name_with_a_private_address_is_refused_without_telling_it(web, names):
    names(inside_example=[["127.0.0.1"]])
    with pytest.raises(SourceError, match=r"inside\.example.* not public") as caught:
        fetch(f"http://inside.example:{web.port}/a.png", STRICT)
    assert "127.0.0.1" not in str(caught.value)
    assert web.requests == []


def test_one_private_address_among_public_ones_is_enough(web, names, loopback_is_public):
    names(mixed_example=[["127.0.0.1", "127.0.0.2"]])
    with pytest.raises(SourceError, match="not public"):
        fetch(f"http://mixed.example:{web.port}/a.png", STRICT)


def test_the_connection_goes_to_the_address_that_was_checked(web, names, loopback_is_public):
    web.serve_bytes("/a.png", b"there")
    resolver = names(rebinding_example=[["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"]])
    assert fetch(f"http://rebinding.example:{web.port}/a.png", STRICT) == b"there"
    assert resolver.asked == ["rebinding.example"]
    assert web.requests[0][1]["Host"] == f"rebinding.example:{web.port}"


def test_a_name_that_changes_between_hops_is_checked_again(web, names, loopback_is_public):
    web.redirect("/a.png", "/b.png")
    web.serve_bytes("/b.png", b"secret")
    resolver = names(rebinding_example=[["127.0.0.1"], ["127.0.0.2"]])
    with pytest.raises(SourceError, match="not public"):
        fetch(f"http://rebinding.example:{web.port}/a.png", STRICT)
    assert resolver.asked == ["rebinding.example"] * 2
    assert len(web.requests) == 1


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.2:{port}/b.png", "http://[::1]:{port}/b.png", "//127.0.0.2:{port}/b.png", "http://2130706434/",
     "http://127.0.0.1\\@127.0.0.2/", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd",
     "FILE:/etc/passwd", "gopher://127.0.0.1/", "data:image/png;base64,AAAA", "s3://bucket/a.png"],
)  # fmt: skip
def test_a_redirect_to_what_is_not_allowed_ends_there(web, names, loopback_is_public, location):
    names(outside_example=[["127.0.0.1"]])
    web.serve_bytes("/b.png", b"secret")
    web.redirect("/a.png", location.format(port=web.port))
    with pytest.raises(SourceError):
        fetch(f"http://outside.example:{web.port}/a.png", STRICT)
    assert len(web.requests) == 1


def test_a_redirect_leads_to_allowed_hosts_only(web, names):
    policy = MediaPolicy(hosts=["good.example"], cache_bytes=0)
    names(good_example=[["127.0.0.1"]], evil_example=[["127.0.0.1"]])
    web.redirect("/a.png", f"http://alice:hunter2@evil.example:{web.port}/b.png")
    with pytest.raises(SourceError, match="does not allow its host") as caught:
        fetch(f"http://good.example:{web.port}/a.png", policy)
    assert "hunter2" not in str(caught.value)
    assert len(web.requests) == 1


def test_a_proxy_is_given_the_address_that_was_checked(web, names, monkeypatch, loopback_is_public):
    resolver = names(pictures_example=[["127.0.0.1"], ["10.0.0.1"]])
    monkeypatch.setenv("http_proxy", web.url("/"))
    monkeypatch.setenv("no_proxy", "")
    web.serve_bytes("http://127.0.0.1/a.png", b"by proxy")
    assert fetch("http://pictures.example/a.png", STRICT) == b"by proxy"
    assert resolver.asked == ["pictures.example"]
    assert web.requests[0][1]["Host"] == "pictures.example"


def test_a_proxy_is_not_asked_for_what_is_not_public(web, names, monkeypatch):
    names(inside_example=[["10.0.0.1"]])
    monkeypatch.setenv("http_proxy", web.url("/"))
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(SourceError, match="not public"):
        fetch("http://inside.example/a.png", STRICT)
    assert web.requests == []


def test_a_tunnel_leads_to_the_checked_address_and_greets_the_host_by_name(names, monkeypatch, loopback_is_public):
    names(pictures_example=[["127.0.0.1"]])
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def proxy() -> None:
        with listener.accept()[0] as peer:
            seen.append(peer.recv(4096))
            peer.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            seen.append(peer.recv(4096))

    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
    monkeypatch.setenv("no_proxy", "")
    thread = threading.Thread(target=proxy, daemon=True)
    thread.start()
    with pytest.raises(SourceUnreachable):
        fetch("https://pictures.example/a.png", STRICT.model_copy(update={"retries": 0}))
    thread.join()
    listener.close()
    assert seen[0].startswith(b"CONNECT 127.0.0.1:443 HTTP/1.1")
    assert b"pictures.example" in seen[1]  # the server name in the TLS greeting


def test_a_host_that_never_resolves_ends_at_the_connect_time(web, monkeypatch):
    gone = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *rest, **options: gone.wait(30))
    short = STRICT.model_copy(update={"connect_timeout": 0.2, "retries": 0})
    with pytest.raises(SourceUnreachable, match=r"no connection within 0\.2 s"):
        fetch("http://slow.example/a.png", short)
    gone.set()


def test_a_compressed_bomb_is_refused_unread(web):
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Encoding", "gzip")
        request.end_headers()
        request.wfile.write(b"\x1f\x8b" + bytes(1000))

    with pytest.raises(SourceError, match="compressed"):
        fetch(web.serve("/a.png", answer), MediaPolicy(cache_bytes=0))


@pytest.fixture
def secure_web(web, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    web.server.socket = context.wrap_socket(web.server.socket, server_side=True)
    return web


def test_a_certificate_is_that_of_the_name_though_the_address_was_checked(
    secure_web, certificate, names, monkeypatch, loopback_is_public
):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    names(pictures_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
    secure_web.serve_bytes("/a.png", b"there")
    assert fetch(f"https://pictures.example:{secure_web.port}/a.png", STRICT) == b"there"
    with pytest.raises(SourceError, match="certificate that cannot be trusted") as caught:
        fetch(f"https://other.example:{secure_web.port}/a.png", STRICT)
    assert not isinstance(caught.value, SourceUnreachable)


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(secure_web, names, loopback_is_public):
    names(pictures_example=[["127.0.0.1"]])
    secure_web.serve_bytes("/a.png", b"there")
    with pytest.raises(SourceError, match="certificate that cannot be trusted"):
        fetch(f"https://pictures.example:{secure_web.port}/a.png", STRICT)
    assert secure_web.requests == []
