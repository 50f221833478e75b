"""The benchmark for GPUs runs where there is none, on a model small enough to try it with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


def run(*arguments: str) -> str:
    process = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_its_help_says_how_to_try_it_without_a_gpu():
    assert "--shape tiny --device cpu" in run("--help")


@pytest.mark.slow
def test_a_tiny_model_is_measured_on_a_cpu():
    options = "--shape tiny --device cpu --precision f32 --rows 2 --tokens 4 --rounds 1 --json"
    told = json.loads(run(*options.split()).split("\n", 1)[1])  # the first line counts parameters
    ours, theirs = told["engines"]
    assert (ours["engine"], theirs["engine"]) == ("vi-inference", "transformers")
    assert ours["tokens"] == theirs["tokens"] == [8]
    assert ours["texts"] == theirs["texts"]
    assert 0 < told["step"]["floor_ms"] < told["step"]["ms"]
