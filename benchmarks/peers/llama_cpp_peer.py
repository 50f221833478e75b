"""llama.cpp's server, spoken to over HTTP: one request streamed, or as many at once as it has slots.

    PATH=build/bin:$PATH PYTHON benchmarks/peers/llama_cpp_peer.py JOB.json

Needs ``llama-server`` in the path and no Python package. ``model`` is a folder that export_llama_cpp.py made: its
weights are bf16 whatever the job's precision is. Keys and values stay float16, its default and its fastest. The
picture goes through its own vision tower, and the common beginning of prompts is kept by its slots.
"""

from __future__ import annotations

import atexit
import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from protocol import Round, serve

MARKER = "<__media__>"
TAG = "<|vision_start|><|image_pad|><|vision_end|>"  # the marker's brackets are put there by the server
HOST = "127.0.0.1"
SLOT_TOKENS = 1024
START_SECONDS = 120


def load(job: dict[str, Any]) -> Round:
    if job["precision"] != "bf16":
        raise SystemExit("The weights converted for llama.cpp are bf16: use --precision bf16.")
    slots = 1 if job["stream"] or job["one_by_one"] else job["batch"]
    port = _start(Path(job["model"]), slots, job["threads"])

    def run(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
        with ThreadPoolExecutor(slots) as pool:
            answers = list(pool.map(lambda one: _ask(port, job, one), requests))
        outcome = {name: [answer[name] for answer in answers] for name in ("tokens", "prompt_tokens", "texts")}
        return {**outcome, "first": answers[0]["first"]} if job["stream"] else outcome

    return run


def _start(model: Path, slots: int, threads: int | None) -> int:
    """A server of its own on a free port, ready to answer; ended with this process."""
    binary = shutil.which("llama-server")
    if binary is None:
        raise SystemExit("There is no llama-server in the path: PATH=<llama.cpp's build>/bin:$PATH ...")
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    command = [binary, "-m", model / "model.gguf", "--mmproj", model / "mmproj.gguf", "--host", HOST, "--port", port]
    command += ["-c", SLOT_TOKENS * slots, "-np", slots, "-t", threads or os.cpu_count() or 1, "--no-ui", "--offline"]
    server = subprocess.Popen(list(map(str, command)), env={**os.environ, "LLAMA_MEDIA_MARKER": MARKER}, stdout=2)
    atexit.register(server.terminate)
    deadline = time.monotonic() + START_SECONDS
    while not _healthy(port):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"llama-server does not answer (exit code {server.poll()}).")
        time.sleep(0.05)
    return port


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _ask(port: int, job: dict[str, Any], one: dict[str, Any]) -> dict[str, Any]:
    """What was answered, and after how many seconds the first piece was there."""
    started, first, text, last = time.perf_counter(), None, "", {}
    picture = base64.b64encode(Path(one["picture"]).read_bytes()).decode()
    body = {
        "prompt": {"prompt_string": one["rendered"].replace(TAG, MARKER), "multimodal_data": [picture]},
        "n_predict": job["max_new_tokens"],
        "ignore_eos": job["forced"],
        "samplers": [],
        "temperature": 0,
        "cache_prompt": True,
        "stream": True,
    }
    if job["schema"] is not None:
        body["json_schema"] = job["schema"]
    for event in _events(port, body):
        first = first or time.perf_counter() - started
        text += event.get("content", "")
        last = event
    return {
        "tokens": last["tokens_predicted"],
        "prompt_tokens": last["tokens_evaluated"],
        "texts": text,
        "first": first,
    }


def _events(port: int, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The server-sent events of a completion, as they come."""
    connection = http.client.HTTPConnection(HOST, port, timeout=300)
    try:
        connection.request("POST", "/completion", json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        if response.status != 200:
            raise SystemExit(f"llama-server answers {response.status}: {response.read(2000).decode()}")
        for line in response:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
    finally:
        connection.close()


if __name__ == "__main__":
    serve(load)
