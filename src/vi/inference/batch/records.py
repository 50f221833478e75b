"""A file that grows by one record at a time and can lose at most the one being written."""

from __future__ import annotations

import os
import shutil
import time
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from vi.inference.batch.columns import OutputRow
from vi.inference.batch.failures import OutputMismatch, writing
from vi.inference.durable import sync_folder

SYNC_SECONDS = 2.0  # what a power cut may take; everything else takes nothing
_LONGEST = 1 << 24  # bytes that can be one record cut off


class Format(Protocol):
    """How a row is written. head: the file's first line, or nothing."""

    name: str
    head: bytes

    def encode(self, row: OutputRow) -> bytes:
        """The row's record, its line's end included."""

    def decode(self, record: bytes) -> OutputRow | None:
        """The row that ``encode`` wrote, None where the record is none."""

    def is_whole(self, lines: bytes) -> bool:
        """Whether a record ends with these lines, which end with a line's end."""

    def is_begun(self, start: bytes) -> bool:
        """Whether a file of these bytes alone, without a whole record, can be one that was cut off."""


class RecordFile:
    """Rows in a file of their own. Opening cuts off a record that was not written to its end.

    Every append is one write, synced every two seconds: a process that is killed loses at most the row it was
    writing, a machine that loses power two seconds of them, and a row is there whole or not at all. Raises
    OutputMismatch for a file that something else wrote, OutputError where it cannot be written.
    """

    def __init__(self, path: Path, format: Format) -> None:
        self.path = path
        self._format = format
        self._starts = array("q", [len(format.head)])  # [records + 1]: where each begins, and where the last ends
        with writing(path):
            is_new = not path.exists()
            self._file = path.open("x+b" if is_new else "r+b", buffering=0)
            if is_new:
                sync_folder(path.parent)
        self._synced = time.monotonic()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def recover(self) -> Iterator[OutputRow | None]:
        """Every row there is, None for a record that is not one; afterwards the file ends with a whole record.

        Read it to its end before the first append.
        """
        end = len(self._format.head)
        for record in self._records():
            row = self._format.decode(record)
            if row is None and len(self) == 0:
                raise self._not_ours("its first row is not one that was written here")
            end += len(record)
            self._starts.append(end)
            yield row
        with writing(self.path):
            self._file.truncate(end if end > len(self._format.head) else 0)
            if end <= len(self._format.head):
                self._put(self._format.head, 0)

    def rows(self) -> Iterator[OutputRow]:
        """Every row, in the order of the file."""
        for number in range(len(self)):
            row = self._format.decode(self._record(number))
            if row is not None:
                yield row

    def append(self, row: OutputRow) -> None:
        """Write one row. Raises OutputError where there is no room for it; what was written before stays whole."""
        record = self._format.encode(row)
        with writing(self.path):
            self._put(record, self._starts[-1])
            self._starts.append(self._starts[-1] + len(record))
            if time.monotonic() - self._synced >= SYNC_SECONDS:
                self.sync()

    def sync(self) -> None:
        """Have what was written on the disk itself."""
        with writing(self.path):
            os.fsync(self._file.fileno())
        self._synced = time.monotonic()

    def rearrange(self, order: Iterable[int]) -> None:
        """Keep the records of these numbers, in this order. The file is the old one or the new one at any moment."""
        aside = self.path.with_name(f".{self.path.name}.tmp")
        starts = array("q", [len(self._format.head)])
        try:
            with writing(self.path):
                with aside.open("wb") as file:
                    file.write(self._format.head)
                    for number in order:
                        starts.append(starts[-1] + file.write(self._record(number)))
                    file.flush()
                    os.fsync(file.fileno())
                shutil.copymode(self.path, aside)
                self._file.close()
                aside.replace(self.path)
                self._file = self.path.open("r+b", buffering=0)
                sync_folder(self.path.parent)
        finally:
            aside.unlink(missing_ok=True)
        self._starts = starts

    def close(self) -> None:
        """Sync and close."""
        if not self._file.closed:
            self.sync()
            self._file.close()

    def _put(self, data: bytes, at: int) -> None:
        self._file.seek(at)
        try:
            written = self._file.write(data)
            while written < len(data):  # a disk that is nearly full takes a part, then says so
                written += self._file.write(data[written:])
        except OSError:
            self._file.truncate(at)
            raise

    def _record(self, number: int) -> bytes:
        start, end = self._starts[number], self._starts[number + 1]
        self._file.seek(start)
        return self._file.read(end - start)

    def _records(self) -> Iterator[bytes]:
        """The whole records of the file. Raises OutputMismatch where it begins unlike one of ours."""
        head = self._format.head
        with self.path.open("rb") as file:
            start = file.read(len(head))
            if start != head:
                if not head.startswith(start):
                    raise self._not_ours("its first line is another")
                return
            lines = b""
            seen = False
            for line in file:
                lines += line
                if line.endswith(b"\n") and self._format.is_whole(lines):
                    yield lines
                    lines, seen = b"", True
            if lines and not seen and not self._format.is_begun(lines):
                raise self._not_ours("its first line is another")
            if len(lines) > _LONGEST:
                raise self._not_ours(f"a row begins {len(lines):,} bytes before its end and never ends")

    def _not_ours(self, why: str) -> OutputMismatch:
        return OutputMismatch(
            f"{self.path} exists and is not {self._format.name} of a batch ({why}).",
            "Name another place, or move it away.",
        )
