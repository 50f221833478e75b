"""What a terminal and a pipe get to see of an answer."""

from __future__ import annotations

import io

import pytest

from vi.cli.report import Report, visible
from vi.inference.completion import Timings, Usage
from vi.inference.media.sources import SourceItem
from vi.inference.task_types import VQAAnswer, VQAResponse

ITEM = SourceItem("file", "bench.png", "bench.png")


class Terminal(io.StringIO):
    """Standard output with a person before it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def answer():
    return VQAResponse(
        prompt="How many?",
        result=VQAAnswer(answer="3"),
        thinking="one, two,\x1b[2J three",
        finish_reason="stop",
        usage=Usage(prompt_tokens=80, completion_tokens=9),
        timings=Timings(load=0.25, prefill=0.1, time_to_first_token=0.1, per_token=0.1, total=1.0),
        warnings=["Mind the gap."],
    )


def test_a_terminal_shows_thinking_answer_finish_reason_tokens_and_seconds(answer, monkeypatch, capsys):
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdout", terminal := Terminal())
    report = Report(as_json=False, several=False)
    report.answer(ITEM, answer)
    assert [line for line in terminal.getvalue().splitlines() if line] == [
        "bench.png",
        "one, two,\N{REPLACEMENT CHARACTER}[2J three",
        "3",
        "stop · 9 tokens · 1.25 s",
    ]
    assert capsys.readouterr().err == "Warning: Mind the gap.\n"


def test_a_pipe_gets_the_answer_alone(answer, capsys):
    Report(as_json=False, several=False).answer(ITEM, answer)
    assert capsys.readouterr() == ("3\n", "Warning: Mind the gap.\n")


def test_what_was_streamed_into_a_pipe_is_not_printed_again(answer, capsys):
    Report(as_json=False, several=False).answer(ITEM, answer, streamed=True)
    assert capsys.readouterr().out == ""


def test_no_text_of_a_model_steers_the_terminal():
    assert (
        visible("a\x1b]0;title\x07\r\n\tb")
        == "a\N{REPLACEMENT CHARACTER}]0;title" + "\N{REPLACEMENT CHARACTER}" * 2 + "\n\tb"
    )
