"""What a batch is about: a folder, a pattern, a list or a table, as rows, read one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vi.inference.batch.keys import Key, ask_part, content_part, source_part
from vi.inference.batch.parquet import PARQUET, count_rows
from vi.inference.media.lists import read_list
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import SourceItem, expand
from vi.inference.media.tables import Row, is_table, read_table


@dataclass(frozen=True, eq=False)
class Entry:
    """One row of the input. number: its place there. policy: what may be read of it."""

    number: int
    row: Row
    policy: MediaPolicy

    def key(self, call: str, model: str) -> Key:
        """What a row of the output answers if it answers this one. Reads a file to its end."""
        row = self.row
        return Key(
            source_part(row.source, row.id),
            content_part(row.source, self.policy),
            ask_part(row.prompt, row.task, row.generation_config),
            call,
            model,
        )

    @property
    def label(self) -> str:
        """The source by name: a file's whole path, anything else without its data and secrets."""
        item = self.row.source
        return str(item.value) if item.kind == "file" else item.label


def read_input(
    text: str, recursive: bool = False, policy: MediaPolicy | None = None, *, clips: bool = False
) -> Iterator[Any]:
    """The sources and rows that ``text`` names: a table (CSV, JSON Lines, Parquet), ``@list.txt``, a folder, a pattern
    such as ``shots/**/*.png``, or a single source. clips: folders and patterns stand for their clips too.

    Raises SourceError where there is nothing, or a table or list cannot be read.
    """
    if text.startswith("@") and len(text) > 1:
        yield from read_list(Path(text[1:]), MediaPolicy.coerce(policy))
    elif is_table(Path(text)):
        yield from read_table(Path(text), policy)
    else:
        items = expand(text, recursive, policy, clips=clips).items
        if len(items) == 1 and items[0].error is not None:
            raise items[0].error
        yield from items


def count_input(text: str, recursive: bool = False, clips: bool = False) -> int:
    """How many sources and rows ``read_input`` gives, so that what cannot be read is told before the work begins."""
    if Path(text).suffix.lower() == PARQUET:
        next(read_input(text), None)
        return count_rows(Path(text))
    return sum(1 for _ in read_input(text, recursive, clips=clips))


def entries(given: Iterable[Any], policy: MediaPolicy | None = None, clips: bool = False) -> Iterator[Entry]:
    """Sources, items and Rows as numbered Rows, none of them twice the same object; a folder is its pictures, and with
    ``clips`` its clips."""
    policy = MediaPolicy.coerce(policy)
    number = 0
    for each in given:
        for row in [each] if isinstance(each, Row) else _rows(each, policy, clips):
            yield Entry(number, replace(row, number=number + 1), policy)
            number += 1


def _rows(source: Any, policy: MediaPolicy, clips: bool) -> Iterator[Row]:
    items = [source] if isinstance(source, SourceItem) else expand(source, policy=policy, clips=clips).items
    return (Row(0, item, error=item.error) for item in items)
