"""How a server ends: its engine dies, it is told to go, its model cannot be loaded."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading

import httpx
import pytest
from tests.server.running import running

from vi.server.settings import ServerSettings

LONG = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 1500}},
    "required": ["text"],
    "additionalProperties": False,
}


def endless(picture_uri, **more):
    config = {"max_new_tokens": 3900, "loop_detection": False}
    return {"source": picture_uri, "response_format": LONG, "generation_config": config, **more}


class Boom(BaseException):
    """Nothing that an engine expects."""


def test_when_the_model_thread_dies_everybody_hears_of_it_at_once(picture_uri, monkeypatch):
    with running(ServerSettings()) as server, server.client() as http:
        assert http.get("/ready").json() == {"ready": True, "reason": None}
        ((_, model),) = server.serving.shelf.loaded()
        loop = model._answerer._engine._loop

        def die():
            raise Boom("/secret/path at 0x7f00")

        answers = []
        ask = threading.Thread(target=lambda: answers.append(http.post("/v1/predict", json=endless(picture_uri))))
        with http.stream("POST", "/v1/predict", json=endless(picture_uri, stream=True)) as stream:
            lines = stream.iter_lines()
            assert next(lines)
            ask.start()
            assert server.until(lambda: server.serving.gate.underway == 2)
            monkeypatch.setattr(loop, "step", die)
            told = list(lines)
        ask.join()
        assert "event: error" in told
        assert answers[0].status_code == 500
        assert http.get("/health").json() == {"status": "stopped", "models": {"workbench": "stopped"}}
        assert [http.get(path).status_code for path in ("/health", "/ready")] == [503, 503]
        refused = http.post("/v1/predict", json=endless(picture_uri))
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "engine_stopped")
        for text in (answers[0].text, refused.text, *told):
            assert "secret" not in text
            assert "Boom" not in text
        assert server.until(lambda: server.serving.gate.underway == 0)


def test_a_model_that_cannot_be_loaded_is_told_without_its_path(picture_uri, tmp_path):
    broken = tmp_path / "secret-place"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    models = {"broken": {"pretrained_model_name_or_path": str(broken)}}
    with running(ServerSettings(models=models), ready=False) as server, server.client() as http:
        response = http.post("/v1/predict", json={"source": picture_uri})
        assert (response.status_code, response.json()["error"]["code"]) == (503, "model_unavailable")
        assert "secret-place" not in response.text
        assert http.get("/ready").status_code == 503
        assert http.get("/health").status_code == 200


@pytest.fixture
def process(tmp_path):
    """``vi-infer serve`` on a free port: (the process, its URL)."""
    command = [sys.executable, "-m", "vi", "serve", "--port", "0", "--limit", "drain_seconds=60"]
    environment = {**os.environ, "VI_API_KEYS": ""}
    found = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        line = found.stderr.readline()
        yield found, re.search(r"http://\S+", line)[0]
    finally:
        found.kill()
        found.communicate()


def test_sigterm_lets_what_runs_end_and_takes_nothing_new(process, picture_uri):
    server, url = process
    with httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
        asked = {"source": picture_uri, "task_type": "freeform", "stream": True}
        with http.stream("POST", "/v1/predict", json=asked) as response:
            lines = response.iter_lines()
            assert next(lines).startswith("event:")
            server.send_signal(signal.SIGTERM)
            told = list(lines)
    assert "event: done" in told
    log = server.communicate(timeout=60)[1]
    assert server.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/health", trust_env=False)
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    (request,) = [line for line in lines if line["message"] == "request"]
    assert (request["status"], request["path"], request["method"]) == (200, "/v1/predict", "POST")
    assert {"time", "level", "request_id", "seconds", "bytes", "client"} <= set(request)
    assert [line for line in log.splitlines() if "Traceback" in line] == []
