"""What a person, a pipe or a program gets to see: answers on standard output, all else on standard error."""

from __future__ import annotations

import json
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vi.cli.faults import message, say, say_error
from vi.inference.errors import ViError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from vi.inference.media.sources import SourceItem
    from vi.inference.task_types.response import PredictionResponse


class Report:
    """Prints outcomes as they come and keeps count of them.

    On a terminal an answer comes with its thinking, tokens and seconds. In a pipe it is the answer's text alone, after
    its source's name where there are several. as_json: one object per source instead, ``{"source", "answer"}`` or
    ``{"source", "error"}``. Warnings and errors are lines on standard error, each distinct warning once.
    """

    def __init__(self, *, as_json: bool, several: bool) -> None:
        self.as_json = as_json
        self.num_answered = 0
        self.num_refused = 0
        self.errors: list[ViError] = []
        self._several = several
        self._warned: set[str] = set()

    def answer(self, item: SourceItem, answer: PredictionResponse, *, streamed: bool = False) -> None:
        """Print an answer. streamed: its text is on standard output already, the terminal lacks the rest."""
        self.num_answered += 1
        if self.as_json:
            _print_json({"source": name_of(item), "answer": json.loads(answer.model_dump_json())})
        elif sys.stdout.isatty():
            self._print_readable(item, answer)
        elif not streamed:
            print(f"{item.label}: {answer}" if self._several else answer, flush=True)
        for warning in answer.warnings:
            if warning not in self._warned:
                self._warned.add(warning)
                say(f"Warning: {warning}")

    def failure(self, item: SourceItem, error: ViError) -> None:
        """Print why a source has no answer."""
        self.num_refused += 1
        self.errors.append(error)
        if self.as_json:
            _print_json(failure_object(item, error))
        say_error(error, item.label)

    def refuse(self, items: list[SourceItem], error: ViError) -> None:
        """What is wrong with the whole call, as an object for each source that has none yet; printed once elsewhere."""
        if self.as_json:
            for item in items[self.num_answered + self.num_refused :]:
                _print_json(failure_object(item, error))

    def piece(self, text: str) -> None:
        """A piece of a streamed answer; beside JSON it is progress, and goes to standard error."""
        if self.as_json:
            say(text, end="")
        elif sys.stdout.isatty():
            self.console.print(visible(text), style="dim", end="", markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, end="", flush=True)

    def end_of_pieces(self) -> None:
        """Break the line after the last piece."""
        say("") if self.as_json else print(flush=True)

    def table(self, table: Table) -> None:
        """A table beside an answer: on standard output, or beside JSON on standard error."""
        from rich.console import Console

        (Console(stderr=True, highlight=False) if self.as_json else self.console).print(table)

    @cached_property
    def console(self) -> Console:
        """Standard output."""
        from rich.console import Console

        return Console(highlight=False, markup=False, emoji=False)

    def _print_readable(self, item: SourceItem, answer: PredictionResponse) -> None:
        self.console.print(item.label, style="bold")
        if answer.thinking:
            self.console.print(visible(answer.thinking), style="dim italic")
        self.console.print(visible(str(answer)))
        self.console.print(f"{cost(answer)}\n", style="dim")


def cost(answer: PredictionResponse) -> str:
    """``stop · 9 tokens · 0.21 s``"""
    count = answer.usage.completion_tokens
    return f"{answer.finish_reason} · {count} token{'' if count == 1 else 's'} · {seconds(answer):.2f} s"


def seconds(answer: PredictionResponse) -> float:
    """From reading the source to the last token."""
    return answer.timings.load + answer.timings.total


def visible(text: str) -> str:
    """``text`` without control characters, with which a model could steer the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def name_of(item: SourceItem) -> str:
    """The source as JSON names it: a file's whole path, anything else by its label (never a secret in a URL)."""
    return str(item.value) if item.kind == "file" and str(item.value) else item.label


def failure_object(item: SourceItem, error: ViError) -> dict[str, Any]:
    """``{"source": …, "error": {"type": …, "message": …}}``"""
    return {"source": name_of(item), "error": {"type": type(error).__name__, "message": message(error)}}


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)
