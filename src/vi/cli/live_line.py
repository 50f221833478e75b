"""How far a batch is: one line that changes on a terminal, a plain line now and then in a pipe."""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vi.cli.faults import say
from vi.cli.report import visible

if TYPE_CHECKING:
    from vi.inference.batch.summary import Summary

PLAIN_SECONDS = 10.0  # between two plain lines
MOST_ERRORS = 5  # told one by one
WINDOW = 30.0  # seconds that the pace is measured over


class LiveLine:
    """Done, failed, pictures and tokens a second, time left, on standard error. Use it in a ``with`` block.

    The first errors and each distinct warning are lines of their own.
    """

    def __init__(self, total: int, path: Path) -> None:
        self._total = total
        self._path = path
        self._summary: Summary | None = None
        self._marks: deque[tuple[float, int, int]] = deque()  # time, rows asked, tokens written
        self._said_at = time.monotonic()
        self._num_told = 0
        self._warned: set[str] = set()
        self._bar: Any = None

    def __enter__(self) -> LiveLine:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (BarColumn(bar_width=24), TextColumn("{task.description}", markup=False))
            self._bar = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
            self._task = self._bar.add_task("starting", total=self._total or None)
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        if kind is KeyboardInterrupt and self._summary is not None:
            say(f"{self._summary.num_rows:,} of {self._total:,} rows are written; the same command goes on from there.")

    def row(self, summary: Summary, row: dict[str, Any] | None) -> None:
        """Take note of a row: one that was written, or None for one that was there before."""
        self._summary = summary
        now = time.monotonic()
        if row is not None:
            self._note(row)
            self._marks.append((now, summary.num_asked, summary.completion_tokens))
            while now - self._marks[0][0] > WINDOW and len(self._marks) > 2:
                self._marks.popleft()
        if self._bar is not None:
            self._bar.update(self._task, completed=summary.num_rows, description=self.text())
        elif now - self._said_at >= PLAIN_SECONDS:
            self._said_at = now
            say(self.text())

    def text(self) -> str:
        """``812 of 1,000 · 3 failed · 12.4 pictures/s · 210 tokens/s · 0:15 left``"""
        summary = self._summary
        if summary is None:
            return "starting"
        failed = summary.num_failed + summary.num_present_failed
        parts = [f"{summary.num_rows:,} of {max(self._total, summary.num_rows):,}", f"{failed:,} failed"]
        pace = self._pace()
        if pace is not None:
            left = max(self._total - summary.num_rows, 0) / pace[0]
            parts += [f"{pace[0]:,.1f} pictures/s", f"{pace[1]:,.0f} tokens/s", f"{clock(left)} left"]
        return " · ".join(parts)

    def _pace(self) -> tuple[float, float] | None:
        """Rows and tokens a second of late."""
        if len(self._marks) < 2 or self._marks[-1][0] <= self._marks[0][0]:
            return None
        (start, rows, tokens), (end, more_rows, more_tokens) = self._marks[0], self._marks[-1]
        return (more_rows - rows) / (end - start), (more_tokens - tokens) / (end - start)

    def _note(self, row: dict[str, Any]) -> None:
        for warning in row["warnings"] or ():
            if warning not in self._warned and len(self._warned) < MOST_ERRORS:
                self._warned.add(warning)
                self._say(f"Warning: {warning}")
        if row["error_type"] is None:
            return
        self._num_told += 1
        if self._num_told <= MOST_ERRORS:
            label = "" if row["source"] in row["error"] else f"{row['source']}: "
            self._say(f"{row['error_type']}: {label}{row['error']}")
        elif self._num_told == MOST_ERRORS + 1:
            self._say(f"Further errors are in {self._path} only.")

    def _say(self, text: str) -> None:
        if self._bar is None:
            say(visible(text))
        else:
            self._bar.console.print(visible(text), markup=False, soft_wrap=True)


def clock(seconds: float) -> str:
    """``0:07``, ``12:30``, ``3:04:00``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
