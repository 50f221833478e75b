"""How far a batch is, told."""

from __future__ import annotations

from pathlib import Path

import pytest

from vi.cli import live_line
from vi.cli.live_line import LiveLine, clock
from vi.inference.batch.columns import COLUMNS
from vi.inference.batch.summary import Summary


@pytest.fixture
def now(monkeypatch):
    """A clock that the test moves."""
    time = [0.0]
    monkeypatch.setattr(live_line.time, "monotonic", lambda: time[0])
    return time


def a_row(**facts):
    return dict.fromkeys(COLUMNS) | {"source": "a.png"} | facts


def test_the_line_says_pace_and_time_left(now):
    line = LiveLine(1_000, Path("a.csv"))
    assert line.text() == "starting"
    summary = Summary(Path("a.csv"), num_present=100)
    for second in range(11):
        now[0] = float(second)
        summary.num_answered = 5 * second
        summary.completion_tokens = 40 * second
        line.row(summary, a_row(answer="x"))
    assert line.text() == "150 of 1,000 · 0 failed · 5.0 pictures/s · 40 tokens/s · 2:50 left"


def test_the_pace_is_that_of_late(now):
    line = LiveLine(10_000, Path("a.csv"))
    summary = Summary(Path("a.csv"))
    for second in range(200):
        now[0] = float(second)
        summary.num_answered += 1 if second < 100 else 10
        line.row(summary, a_row(answer="x"))
    assert "10.0 pictures/s" in line.text()


def test_a_pipe_gets_a_line_now_and_then_and_the_first_errors(now, capsys):
    summary = Summary(Path("a.csv"))
    with LiveLine(100, Path("a.csv")) as line:
        for second in range(100):
            now[0] = second / 4
            summary.num_failed += 1
            line.row(summary, a_row(error_type="SourceError", error="bad\x1b[2J", warnings=["odd"]))
    told = capsys.readouterr().err.splitlines()
    assert told.count("Warning: odd") == 1
    assert told.count("SourceError: a.png: bad\N{REPLACEMENT CHARACTER}[2J") == live_line.MOST_ERRORS
    assert told.count("Further errors are in a.csv only.") == 1
    assert sum(" failed · " in line for line in told) == 2


def test_ctrl_c_says_how_much_is_written(now, capsys):
    line = LiveLine(9, Path("a.csv"))
    line.row(Summary(Path("a.csv"), num_present=3, num_answered=2), a_row(answer="x"))
    with pytest.raises(KeyboardInterrupt), line:
        raise KeyboardInterrupt
    assert capsys.readouterr().err == "5 of 9 rows are written; the same command goes on from there.\n"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (11040, "3:04:00")])
def test_a_clock_is_read_as_one(seconds, text):
    assert clock(seconds) == text
