"""The bar: on a terminal, and nowhere else."""

from __future__ import annotations

import contextlib
import os
import sys

import pytest
from tests.inference.asking import GREEDY, picture

from vi.inference.progress import track


class Terminal:
    """A pseudo-terminal in the place of standard error."""

    def __init__(self, stream, master):
        self.stream, self.master = stream, master

    def text(self) -> str:
        """What was written to it since the last time."""
        self.stream.flush()
        pieces = []
        with contextlib.suppress(BlockingIOError):
            while True:
                pieces.append(os.read(self.master, 1 << 12))
        return b"".join(pieces).decode()


@pytest.fixture
def terminal(monkeypatch):
    """Call it in the test's body (pytest sets standard error anew before that)."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals of POSIX")
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    with os.fdopen(slave, "w") as stream:

        def install() -> Terminal:
            monkeypatch.setattr(sys, "stderr", stream)
            return Terminal(stream, master)

        yield install
    os.close(master)


@pytest.mark.parametrize("show", [True, False])
def test_the_items_come_through(show):
    assert list(track(iter("abc"), 3, "Answering", show)) == ["a", "b", "c"]


def test_on_a_terminal_the_bar_counts(terminal):
    screen = terminal()
    for item in track(iter(range(3)), 3, "Answering", True):
        assert item in range(3)
    said = screen.text()
    assert "Answering" in said
    assert "3/3" in said


@pytest.mark.parametrize(("total", "show"), [(3, False), (1, True), (0, True)])
def test_there_is_no_bar_for_one_item_nor_where_it_is_not_wanted(terminal, total, show):
    screen = terminal()
    assert list(track(iter(range(total)), total, "Answering", show)) == list(range(total))
    assert screen.text() == ""


def test_a_failure_ends_the_bar(terminal):
    def failing():
        yield 1
        raise OSError("no more")

    screen = terminal()
    with pytest.raises(OSError, match="no more"):
        list(track(failing(), 2, "Answering", True))
    assert "\x1b[?25h" in screen.text()  # the cursor is shown again


def test_a_call_in_a_pipe_is_silent(tiny_model, capfd, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    tiny_model([picture()] * 3, "What is it?", task_type="generic", generation_config=GREEDY, show_progress=True)
    assert capfd.readouterr() == ("", "")


def test_a_program_without_standard_error_is_served_too(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert list(track(iter("ab"), 2, "Answering", True)) == ["a", "b"]


def test_a_call_on_a_terminal_shows_the_bar(tiny_model, terminal):
    screen = terminal()
    tiny_model([picture()] * 2, "What is it?", task_type="generic", generation_config=GREEDY)
    assert "2/2" in screen.text()
