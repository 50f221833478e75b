"""``vi-infer`` as a process: what it imports, and how it ends when it is interrupted or its reader goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

import vi

HEAVY = {"torch", "transformers", "numpy", "PIL", "llguidance", "huggingface_hub"}
VI_INFER = [sys.executable, "-m", "vi"]


@pytest.mark.parametrize(
    "arguments",
    [["--help"], [], ["predict", "--help"], ["demo", "--help"], ["config"], ["config", "explain", "temperature=0.7"]],
    ids=" ".join,
)
def test_help_and_config_import_nothing_heavy(arguments):
    code = (
        "import sys\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "from vi.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(','.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout
    assert HEAVY.isdisjoint(done.stderr.strip().split(","))


def test_the_version_is_the_packages():
    done = subprocess.run([*VI_INFER, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"vi-infer {vi.__version__}\n"


@pytest.mark.skipif(os.name == "nt", reason="closed pipes are POSIX's")
@pytest.mark.parametrize("arguments", [["config", "--json"], ["--help"]], ids=" ".join)
def test_a_reader_that_goes_away_is_no_news(arguments):
    with subprocess.Popen([*VI_INFER, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_ctrl_c_ends_a_stream_with_one_line(tiny_checkpoint, pictures):
    arguments = ["predict", str(pictures[0]), "-p", "x", "--model", str(tiny_checkpoint), "--task", "vqa"]
    with subprocess.Popen(
        [*VI_INFER, *arguments, "--stream", "--cot", "--max-new-tokens", "1800"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert (process.returncode, told.decode()) == (130, "Interrupted.\n")
