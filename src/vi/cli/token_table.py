"""The tokens of an answer as a coloured table on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vi.cli.choices import Choice, choices, others, probability, shown

if TYPE_CHECKING:
    from rich.table import Table

    from vi.inference.task_types.response import PredictionResponse

MOST_OTHERS = 3  # alternatives a row
LEAST = 0.01  # of the probability of one that is worth a place
STYLES = {"grammar": "dim", "draw": "bold yellow", "restricted": "magenta", "model": ""}


def token_table(answer: PredictionResponse) -> Table:
    """A row a token: its probability before and after the filters, who decided, what was left, what else could come.

    Raises ConfigError where the answer has no log-probabilities.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for name in ("Token", "Before", "After", "Decided by", "Left: grammar k p"):
        table.add_column(name, no_wrap=True)
    table.add_column("Instead")
    for choice in choices(answer):
        cells = [shown(choice.token.text), f"{choice.before:.3f}", _number(choice.after), choice.by, _left(choice)]
        table.add_row(
            *map(Text, cells), Text(_instead(choice), no_wrap=True, overflow="ellipsis"), style=STYLES[choice.by]
        )
    return table


def _number(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.3f}"


def _left(choice: Choice) -> str:
    left = choice.token.survivors
    return "" if left is None else f"{left.grammar:>9,} {left.top_k:>3,} {left.top_p:>3,}"


def _instead(choice: Choice) -> str:
    found = [each for each in others(choice.token)[:MOST_OTHERS] if probability(each) >= LEAST]
    return "  ".join(f"{shown(each.text)} {probability(each):.2f}→{_number(each.probability)}" for each in found)
