"""Rows as CSV (RFC 4180): UTF-8, quoted where a value has commas, quotes or line breaks; lists are JSON text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from vi.inference.batch.columns import COLUMNS, OutputRow

_READ: dict[type, Callable[[str], Any]] = {
    int: int, float: float, str: str, list: json.loads, bool: {"true": True, "false": False}.__getitem__,
}  # fmt: skip


class Csv:
    """The format of ``.csv``. None and empty text are both an empty cell."""

    name = "the CSV"
    head = (",".join(COLUMNS) + "\r\n").encode()

    def encode(self, row: OutputRow) -> bytes:
        line = io.StringIO()
        csv.writer(line).writerow([_cell(row[name]) for name in COLUMNS])
        return line.getvalue().encode(errors="backslashreplace")

    def decode(self, record: bytes) -> OutputRow | None:
        try:
            (cells,) = csv.reader(io.StringIO(record.decode(), newline=""), strict=True)
            pairs = zip(COLUMNS.items(), cells, strict=True)
            return {name: _READ[kind](cell) if cell else None for (name, kind), cell in pairs}
        except (ValueError, KeyError, csv.Error):
            return None

    def is_whole(self, lines: bytes) -> bool:
        return lines.count(b'"') % 2 == 0  # a quote inside quotes is doubled

    def is_begun(self, start: bytes) -> bool:
        return True  # the head has been seen


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value).replace("\0", "\N{REPLACEMENT CHARACTER}")  # which few readers of CSV take
