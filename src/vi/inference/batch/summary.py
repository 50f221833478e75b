"""What came of a batch, counted while it runs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from vi.inference.batch.columns import OutputRow


@dataclass
class Summary:
    """What came of a batch; while it runs, what has come of it so far.

    path: where the rows are. num_present, num_answered, num_failed: rows of the input that were there before, that
    were answered now, and that have an error now. num_stale: old rows that were replaced; num_gone: old rows of sources
    that the input no longer has, kept; num_damaged: records that were not rows. errors: error type -> rows that have
    it in the end. seconds: since the first row was asked. Tokens are of this run.
    """

    path: Path
    num_present: int = 0
    num_present_failed: int = 0
    num_answered: int = 0
    num_failed: int = 0
    num_stale: int = 0
    num_gone: int = 0
    num_damaged: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    _started: float = 0.0

    @property
    def num_asked(self) -> int:
        return self.num_answered + self.num_failed

    @property
    def num_rows(self) -> int:
        """Rows of the input that have their row in the output."""
        return self.num_present + self.num_asked

    @property
    def num_with_answer(self) -> int:
        return self.num_rows - self.num_failed - self.num_present_failed

    def start(self) -> None:
        """The first row is being asked."""
        self._started = time.monotonic()

    def count(self, row: OutputRow) -> None:
        """A row that was written."""
        self.seconds = time.monotonic() - self._started
        if row["error_type"] is not None:
            self.num_failed += 1
            self.errors[row["error_type"]] += 1
            return
        self.num_answered += 1
        self.prompt_tokens += row["prompt_tokens"]
        self.completion_tokens += row["completion_tokens"]

    def count_present(self, error_type: str | None) -> None:
        """A row that was there before, with the type of its error if it has one."""
        self.num_present += 1
        if error_type is not None:
            self.num_present_failed += 1
            self.errors[error_type] += 1
