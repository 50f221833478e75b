"""Rows of text: a table on a terminal, aligned columns without ornament in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def print_table(
    title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, dim: frozenset[int] | None = None
) -> None:
    """Print ``rows`` under ``header``. dim: indices of rows that matter less."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(_ornate(title, header, rows, dim or frozenset()), "")
    else:
        print("\n".join([title, *aligned(header, rows), ""]))


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns two spaces apart, the last one as long as it is."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (header, *rows)
    ]


def _ornate(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], dim: frozenset[int]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, show_edge=False)
    table.padding, table.pad_edge = (0, 1, 0, 0), False
    for index, name in enumerate(header):
        table.add_column(name, no_wrap=index == 0, style="cyan" if index == 0 else None)
    for index, row in enumerate(rows):
        table.add_row(*map(Text, row), style="dim" if index in dim else None)
    return table
