"""API keys, and what a server without them lets nobody do."""

from __future__ import annotations

import logging

import httpx
import pytest
from tests.server.running import running

from vi.inference import ConfigError
from vi.server.keys import ApiKeys
from vi.server.logs import JsonLines
from vi.server.settings import ServerSettings

KEY, OTHER = "k" * 16, "abcdefgh-12345678"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_an_address_that_others_reach_needs_keys(host):
    with pytest.raises(ConfigError, match="API keys"):
        ServerSettings(host=host)
    assert ServerSettings(host=host, keys=ApiKeys([KEY])).keys


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"])
def test_loopback_needs_none(host):
    assert ServerSettings(host=host).is_loopback


def test_keys_are_read_from_a_file_and_the_environment(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"# who\n\n{KEY}\n")
    keys = ApiKeys.read(path, f"{OTHER}, {'z' * 20}")
    assert repr(keys) == "ApiKeys(3)"
    for key in (KEY, OTHER, "z" * 20):
        assert keys.admit(f"Bearer {key}")
        assert keys.admit(f"bearer {key}")
        assert not keys.admit(f"Basic {key}")
        assert not keys.admit(f"Bearer {key}x")
    assert not keys.admit("")
    assert not keys.admit("Bearer ")
    assert not ApiKeys.read(None, "")


def test_a_key_that_cannot_be_used_is_refused_without_being_told(tmp_path):
    for key in ("short", "has space in the midst", "ümlaut-ümlaut-ümlaut"):
        with pytest.raises(ConfigError) as caught:
            ApiKeys([key])
        assert key not in str(caught.value)
    empty = tmp_path / "keys"
    empty.write_text("# none\n")
    for path in (empty, tmp_path / "missing"):
        with pytest.raises(ConfigError):
            ApiKeys.read(path, "")


@pytest.fixture(scope="module")
def locked():
    with running(ServerSettings(keys=ApiKeys([KEY, OTHER])), ready=False) as found:
        yield found


@pytest.mark.parametrize("path", ["/v1/models", "/v1/config", "/metrics", "/v1/nothing"])
@pytest.mark.parametrize("header", [None, "", "Bearer wrong", f"Basic {KEY}"])
def test_without_a_key_nothing_is_told(locked, path, header):
    with locked.client() as client:
        response = client.get(path, headers={} if header is None else {"Authorization": header})
    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("key", [KEY, OTHER])
def test_each_key_opens(locked, key):
    with locked.client(headers={"Authorization": f"Bearer {key}"}) as client:
        assert client.get("/v1/models").status_code == 200
        assert client.get("/metrics").status_code == 200


@pytest.mark.parametrize("path", ["/health", "/", "/openapi.json", "/v1/samples/wood.jpg"])
def test_what_a_browser_and_a_probe_need_is_open(locked, path):
    with locked.client(follow_redirects=False) as client:
        assert client.get(path).status_code in (200, 307)


def test_keys_are_not_in_the_log(locked, caplog):
    with caplog.at_level(logging.DEBUG), locked.client(headers={"Authorization": f"Bearer {KEY}"}) as client:
        client.get("/v1/models", params={"key": "public"})
        client.get("/v1/models", headers={"Authorization": f"Bearer {OTHER}x"})
        assert locked.until(lambda: len([r for r in caplog.records if r.name == "vi.server"]) >= 2)
    told = "\n".join(JsonLines().format(record) for record in caplog.records)
    assert "request" in told
    assert KEY not in told
    assert OTHER not in told


def test_other_peoples_pages_may_not_use_a_server_without_keys(server):
    with server.client() as client:
        assert client.get("/v1/models", headers={"Host": "evil.example"}).status_code == 403
        assert client.get("/v1/models", headers={"Origin": "https://evil.example"}).status_code == 403
        assert client.get("/v1/models", headers={"Origin": server.url}).status_code == 200
        assert client.get("/v1/models", headers={"Host": f"localhost:{server.port}"}).status_code == 200


def test_every_response_has_an_id_and_keeps_one_that_is_given(server):
    with server.client() as client:
        first, second = (client.get("/health").headers["x-request-id"] for _ in range(2))
        assert first != second
        assert client.get("/health", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
        bad = client.get("/health", headers={"X-Request-ID": "a b\tc" + "x" * 99}).headers["x-request-id"]
        assert httpx.Headers({"x": bad})["x"].isalnum()
