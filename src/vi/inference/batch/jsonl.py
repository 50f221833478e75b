"""Rows as JSON Lines: one object a line, UTF-8."""

from __future__ import annotations

import json

from vi.inference.batch.columns import COLUMNS, OutputRow


class JsonLines:
    """The format of ``.jsonl``."""

    name = "the JSONL"
    head = b""

    def encode(self, row: OutputRow) -> bytes:
        text = json.dumps({name: row[name] for name in COLUMNS}, ensure_ascii=False, allow_nan=False)
        return text.encode(errors="backslashreplace") + b"\n"  # half a surrogate pair becomes JSON's own escape

    def decode(self, record: bytes) -> OutputRow | None:
        try:
            row = json.loads(record)
        except ValueError:
            return None
        return row if isinstance(row, dict) and row.keys() >= COLUMNS.keys() else None

    def is_whole(self, lines: bytes) -> bool:
        return True

    def is_begun(self, start: bytes) -> bool:
        if not (start.startswith(_BEGIN) or _BEGIN.startswith(start)):
            return False
        try:
            json.loads(start)
        except ValueError:
            return True
        return self.decode(start) is not None  # whole but for the line's end


_BEGIN = json.dumps({next(iter(COLUMNS)): None})[:6].encode()
