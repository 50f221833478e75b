"""llama.cpp answering one request at a time: its libraries under a small program of ours, with no server between.

    PATH=FOLDER:$PATH PYTHON benchmarks/peers/llama_cpp_peer.py JOB.json

Needs ``llama_cpp_peer`` in the path, built from the source beside this file, see benchmarks/README.md, and no Python
package. ``model`` is a folder that export_llama_cpp.py made: its weights are bf16 whatever the job's precision is. Keys
and values stay float16, its default. Requests are not batched and no grammar is kept to, so it is for D.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocol import Round, serve

PROGRAM = "llama_cpp_peer"
MARKER = "<__media__>"
TAG = "<|vision_start|><|image_pad|><|vision_end|>"  # the marker's brackets are put there by llama.cpp


def load(job: dict[str, Any]) -> Round:
    if job["precision"] != "bf16" or not job["stream"]:
        raise SystemExit("llama.cpp is compared in workload D, at --precision bf16.")
    program = _start(job)

    def run(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
        answers = [_ask(program, one) for one in requests]
        outcome = {name: [answer[name] for answer in answers] for name in ("tokens", "prompt_tokens", "texts")}
        return {**outcome, "first": answers[0]["first"]}

    return run


def _start(job: dict[str, Any]) -> subprocess.Popen[bytes]:
    """The program with its model loaded; it ends with its standard input."""
    binary = shutil.which(PROGRAM)
    if binary is None:
        raise SystemExit(f"There is no {PROGRAM} in the path: build it as benchmarks/README.md says.")
    model, threads = Path(job["model"]), job["threads"] or len(os.sched_getaffinity(0))
    files = [str(model / "model.gguf"), str(model / "mmproj.gguf")]
    ends = "forced" if job["forced"] else "free"
    program = subprocess.Popen(
        [binary, *files, str(threads), str(job["max_new_tokens"]), ends],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "GGML_NO_BACKTRACE": "1"},  # a debugger's words would stand among the answers
    )
    assert program.stdout is not None
    if program.stdout.readline() != b"ready\n":
        raise SystemExit(f"{PROGRAM} has ended with {program.wait()}.")
    return program


def _ask(program: subprocess.Popen[bytes], one: dict[str, Any]) -> dict[str, Any]:
    assert program.stdin is not None
    assert program.stdout is not None
    prompt = one["rendered"].replace(TAG, MARKER).encode()
    program.stdin.write(f"{one['picture']}\n{len(prompt)}\n".encode() + prompt + b"\n")
    program.stdin.flush()
    line = program.stdout.readline().split()
    if not line:
        raise SystemExit(f"{PROGRAM} has ended with {program.wait()}.")
    text = program.stdout.read(int(line[3])).decode(errors="replace")
    return {"prompt_tokens": int(line[0]), "tokens": int(line[1]), "first": float(line[2]), "texts": text}


if __name__ == "__main__":
    serve(load)
