"""``vi-infer serve``: what it is told, and what it refuses before it listens."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest


def test_the_help_teaches(vi_infer):
    text = vi_infer("serve", "--help").stdout
    for word in ("vi-infer serve", "--api-keys", "--allow-host", "--max-loaded", "curl", "SIGTERM"):
        assert word in text


WRONG = {
    "an open address without keys": (["--host", "0.0.0.0"], "API keys"),
    "a limit that is none": (["--limit", "underwy=3"], "Did you mean underway"),
    "a model that is not there": (["--model", "x=./no/such/model"], "no/such/model"),
    "a name twice": (["--model", "a=workbench", "--model", "a=workbench"], "two models"),
    "a name without a model": (["--model", "=workbench"], "NAME=PATH"),
    "keys that are not there": (["--api-keys", "no-such-file"], "no-such-file"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_refused_at_once(vi_infer, monkeypatch, case):
    arguments, said = WRONG[case]
    monkeypatch.delenv("VI_API_KEYS", raising=False)
    result = vi_infer("serve", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_that_is_taken_is_refused(vi_infer):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = vi_infer("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 2
    assert "cannot be bound" in result.stderr


def test_the_command_line_imports_no_server_until_it_serves():
    code = "import sys, vi.cli.app; print([m for m in ('fastapi', 'uvicorn', 'starlette') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_server_imports_neither_torch_nor_transformers():
    code = "import sys, vi.server.process; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_the_servers_packages_the_error_names_the_extra():
    code = (
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['vi-infer', 'serve']; from vi.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'vi-inference[serve]'" in done.stderr
