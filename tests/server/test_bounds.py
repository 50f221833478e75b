"""What one request may take: bodies, pictures, tokens, time; and a place among those underway."""

from __future__ import annotations

import base64
import io
import json
import socket
import time

import openai
import pytest
from PIL import Image
from tests.server.running import running

from vi.inference import ConfigError
from vi.server.limits import Limits
from vi.server.settings import ServerSettings

LIMITS = Limits(
    underway=2,
    request_seconds=100,
    body_seconds=1,
    body_bytes=200_000,
    schema_bytes=300,
    prompt_chars=1000,
    tokens=4000,
    choices=2,
    pictures=2,
    pixels=50_000,
    media_bytes=100_000,
)
LONG = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 600}},
    "required": ["text"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def strict():
    with running(ServerSettings(limits=LIMITS)) as found:
        yield found


@pytest.fixture
def http(strict):
    with strict.client() as client:
        yield client


@pytest.fixture
def slowly(strict, monkeypatch):
    """Each step of the engine takes a tenth of a second and what it takes anyway."""
    ((_, model),) = strict.serving.shelf.loaded()
    loop = model._answerer._engine._loop
    step = loop.step
    monkeypatch.setattr(loop, "step", lambda: (time.sleep(0.1), step()))


@pytest.fixture
def hurry(strict, monkeypatch):
    """Requests have a second from now on; calling it gives them their time again."""
    usual = strict.serving.limits
    monkeypatch.setattr(strict.serving, "limits", usual.model_copy(update={"request_seconds": 1}))
    return lambda: setattr(strict.serving, "limits", usual)


def picture(width=64, height=48):
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def endless(**more):
    """A question whose answer takes longer than a test."""
    config = {"max_new_tokens": 3900, "loop_detection": False}
    return {"source": picture(), "user_prompt": "Go on.", "response_format": LONG, "generation_config": config, **more}


SHORT = {"source": picture(), "user_prompt": "x", "generation_config": {"max_new_tokens": 12}}


def as_bytes(asked):
    """The request as it is on the wire."""
    body = json.dumps(asked)
    head = ["POST /v1/predict HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", body]).encode()


TOO_MUCH = [
    ({"source": picture(), "user_prompt": "x" * 1001}, 400, "prompt_too_long"),
    ({"source": picture(), "response_format": {"description": "x" * 300}}, 400, "schema_too_large"),
    ({"source": picture(), "user_prompt": "x", "generation_config": {"max_new_tokens": 4001}}, 400, "too_many_tokens"),
    ({"source": picture(1000, 51), "user_prompt": "x"}, 400, "invalid_source"),
    ({"source": "data:image/png;base64," + "A" * 150_000, "user_prompt": "x"}, 400, "invalid_source"),
    ({"source": "data:image/png;base64," + "A" * 250_000}, 413, "body_too_large"),
]


@pytest.mark.parametrize(("asked", "status", "code"), TOO_MUCH, ids=[code for *_, code in TOO_MUCH])
def test_too_much_is_refused(http, asked, status, code):
    response = http.post("/v1/predict", json=asked)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_a_body_without_a_length_is_counted_as_it_comes(http):
    def chunks():
        for _ in range(50):
            yield b"x" * 10_000

    response = http.post("/v1/predict", content=chunks(), headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_a_default_beyond_the_limit_of_tokens_is_lowered(http):
    asked = {"source": picture(), "user_prompt": "x", "cot": True, "generation_config": {"stop_strings": [*"aeiou "]}}
    answer = http.post("/v1/predict", json=asked).json()["response"]
    assert answer["generation"]["max_new_tokens"]["value"] == 4000


def test_an_answer_that_takes_too_long_is_stopped(strict, http, slowly, hurry):
    response = http.post("/v1/predict", json=endless())
    assert (response.status_code, response.json()["error"]["code"]) == (504, "timeout")
    assert strict.until(strict.is_idle)


def test_a_stream_that_takes_too_long_ends_with_an_error(strict, http, slowly, hurry):
    response = http.post("/v1/predict", json=endless(stream=True))
    assert response.status_code == 200
    name, data = response.text.strip().split("\n\n")[-1].split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["error"]["code"] == "timeout"
    assert strict.until(strict.is_idle)


def test_openais_client_raises_the_error_of_a_stream(strict, slowly, hurry):
    form = {"type": "json_schema", "json_schema": {"name": "long", "schema": LONG}}
    with openai.OpenAI(base_url=f"{strict.url}/v1", api_key="x", max_retries=0) as client:
        messages = [{"role": "user", "content": "Go on."}]
        stream = client.chat.completions.create(
            model="workbench", messages=messages, response_format=form, max_tokens=3900, stream=True
        )
        with pytest.raises(openai.APIError, match="took longer than 1 s"):
            list(stream)


def test_a_client_that_goes_away_frees_its_place_at_once(strict, http, slowly):
    with http.stream("POST", "/v1/predict", json=endless(stream=True)) as response:
        begun = response.iter_bytes()  # which ends the connection when it is dropped
        assert next(begun)
        assert not strict.is_idle()
    assert strict.until(strict.is_idle, 10)  # the answer would take longer


def test_a_client_that_waits_for_a_whole_answer_and_goes_away_does_too(strict, slowly):
    request = as_bytes(endless())
    with socket.create_connection(("127.0.0.1", strict.port)) as connection:
        connection.sendall(request)
        assert strict.until(lambda: not strict.is_idle())
    assert strict.until(strict.is_idle, 10)  # the answer would take longer


def test_a_full_queue_says_when_to_ask_again(strict, http, slowly):
    with http.stream("POST", "/v1/predict", json=endless(stream=True)) as first:
        begun = [first.iter_bytes()]
        assert next(begun[0])
        with http.stream("POST", "/v1/predict", json=endless(stream=True)) as second:
            begun.append(second.iter_bytes())
            assert next(begun[1])
            full = http.post("/v1/predict", json=endless())
            assert full.status_code == 429
            assert 1 <= int(full.headers["retry-after"]) <= 60
            assert full.json()["error"]["type"] == "rate_limit_error"
            with openai.OpenAI(base_url=f"{strict.url}/v1", api_key="x", max_retries=0) as client:
                messages = [{"role": "user", "content": "Hello?"}]
                with pytest.raises(openai.RateLimitError):
                    client.chat.completions.create(model="workbench", messages=messages)
            assert http.get("/health").status_code == 200
    assert strict.until(strict.is_idle)
    assert http.post("/v1/predict", json=SHORT).status_code == 200


def test_a_body_that_comes_too_slowly_is_not_waited_for(strict):
    with socket.create_connection(("127.0.0.1", strict.port), timeout=10) as connection:
        connection.sendall(as_bytes(endless())[:-1])
        assert b" 408 " in connection.recv(1000)


def test_a_client_that_does_not_read_holds_up_nobody(strict, http, slowly, hurry):
    request = as_bytes(endless(stream=True))
    with socket.create_connection(("127.0.0.1", strict.port)) as sleeper:
        sleeper.sendall(request)
        assert strict.until(lambda: strict.serving.gate.underway)
        hurry()
        assert http.post("/v1/predict", json=SHORT).status_code == 200
        assert strict.until(strict.is_idle)  # its time ends though it reads nothing


def test_streams_leave_the_event_loop_free(strict, http, slowly):
    with strict.client() as other, http.stream("POST", "/v1/predict", json=endless(stream=True)) as response:
        begun = response.iter_bytes()
        assert next(begun)
        assert [other.get("/health").status_code for _ in range(20)] == [200] * 20
        assert not strict.is_idle()
    assert strict.until(strict.is_idle)


@pytest.mark.parametrize("pairs", [["underwy=3"], ["underway"], ["underway=x"], ["underway=0"], ["tokens=5000"]])
def test_a_limit_that_is_not_one_is_refused(pairs):
    with pytest.raises(ConfigError, match=r"under|tokens"):
        Limits.read(pairs)


def test_limits_are_read_from_pairs():
    assert Limits.read(["underway=3", "request-seconds=2.5"]) == Limits(underway=3, request_seconds=2.5)
