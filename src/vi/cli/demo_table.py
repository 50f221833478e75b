"""The demo's answers as a table, for narrow and for wide terminals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from vi.cli.faults import message
from vi.cli.report import seconds, visible
from vi.inference.task_types import PhraseGroundingResponse

if TYPE_CHECKING:
    from vi.cli.demo import Told

WIDE = 106  # columns of a terminal from which every fact has a column of its own
LONGEST = 300  # characters of an answer that are shown


def table(told: Sequence[Told], width: int) -> Table:
    """Picture, question, configuration, answer, tokens, time and finish reason of each; a rule between pictures."""
    wide = width >= WIDE
    made = _wide_table() if wide else _narrow_table()
    for index, each in enumerate(told):
        ends = index + 1 == len(told) or told[index + 1].ask.picture != each.ask.picture
        first = index == 0 or told[index - 1].ask.picture != each.ask.picture
        asked_before = not first and told[index - 1].ask.question == each.ask.question
        picture = Text(each.ask.picture if first else "", style="bold")
        question = Text("" if asked_before else each.ask.question)
        cells = _facts(each)
        if wide:
            made.add_row(picture, question, str(each.ask), _answer(each), *cells, end_section=ends)
        else:
            head = Text("\n").join(text for text in (picture, question) if text)
            made.add_row(head, str(each.ask), _answer(each), _stacked(cells), end_section=ends)
    return made


def _wide_table() -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    made.add_column("Picture", no_wrap=True)
    made.add_column("Question", ratio=2)
    made.add_column("Configuration", width=18, style="cyan")
    made.add_column("Answer", ratio=3, overflow="fold")
    made.add_column("Tokens", justify="right", no_wrap=True)
    made.add_column("Time", justify="right", no_wrap=True)
    made.add_column("Finish", no_wrap=True)
    return made


def _narrow_table() -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    made.add_column("Picture, question", ratio=3)
    made.add_column("Configuration", width=18, style="cyan")
    made.add_column("Answer", ratio=4, overflow="fold")
    made.add_column("It took", justify="right", width=11)
    return made


def _answer(each: Told) -> Text:
    answer = each.answer
    if answer is None:
        return Text(f"{type(each.error).__name__}: {message(each.error)}" if each.error else "", style="red")
    text = Text(f"{_short(answer.thinking)}\n" if answer.thinking else "", style="dim italic")
    if not isinstance(answer, PhraseGroundingResponse):
        return Text.assemble(text, _short(str(answer)))
    count = sum(len(phrase.grounding) for phrase in answer.result.groundings)
    return Text.assemble(
        text, visible(answer.result.sentence), (f" [{count}\N{NO-BREAK SPACE}box{'es' * (count != 1)}]", "dim")
    )


def _short(text: str) -> str:
    return visible(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")


def _stacked(facts: tuple[str, str, str]) -> str:
    tokens, *rest = facts
    return "\n".join(filter(None, [f"{tokens} token{'s' * (tokens != '1')}" if tokens else "", *rest]))


def _facts(each: Told) -> tuple[str, str, str]:
    """Tokens, seconds, finish reason."""
    if each.answer is None:
        return "", "", "error"
    return str(each.answer.usage.completion_tokens), f"{seconds(each.answer):.2f} s", each.answer.finish_reason
