"""Where the rows go: a file that grows row by row, and what becomes of it at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from vi.inference.batch.columns import OutputRow
from vi.inference.batch.csv import Csv
from vi.inference.batch.failures import writing
from vi.inference.batch.jsonl import JsonLines
from vi.inference.batch.parquet import PARQUET, load_pyarrow, read_parquet, write_parquet
from vi.inference.batch.records import Format, RecordFile
from vi.inference.durable import sync_folder
from vi.inference.errors import ConfigError, did_you_mean

FORMATS: dict[str, type[Format]] = {".jsonl": JsonLines, ".ndjson": JsonLines, ".csv": Csv, PARQUET: JsonLines}


class Output:
    """The rows of one batch, open for more. Use ``open_output``.

    path: where they end up. records: the file they are in until then, which is the same, or beside a Parquet file the
    JSON Lines that become it.
    """

    def __init__(self, path: Path) -> None:
        growing = growing_path(path)
        self._was_complete = growing != path and path.exists() and not growing.exists()
        if self._was_complete:
            _thaw(path, growing)
        self.path = path
        self.records = RecordFile(growing, FORMATS[path.suffix.lower()]())

    def finish(self, order: Iterable[int] | None, *, changed: bool) -> None:
        """Make the file what it is to be. order: numbers of the records that stay, None where all stay as they are.
        changed: whether any were added."""
        if order is not None:
            self.records.rearrange(order)
        if self.records.path == self.path:
            return
        if changed or order is not None or not self._was_complete:
            write_parquet(self.path, self.records.rows())
        self.records.close()
        self.records.path.unlink()


@contextmanager
def open_output(path: Path) -> Iterator[Output]:
    """The output at ``path``, its format told by its name; what is there is kept, to go on from.

    Raises ConfigError for a name that is no format's, a place that cannot be written and a file that another process
    is writing, OutputMismatch for one that is not ours.
    """
    check_output(path)
    path = path.resolve()
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        output = Output(path)
        try:
            yield output
        finally:
            output.records.close()


def check_output(path: Path) -> None:
    """Raise ConfigError unless the name is that of a format that can be written here."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        hint = f"{did_you_mean(suffix, FORMATS)} It takes a name that ends with {', '.join(FORMATS)}.".lstrip()
        raise ConfigError(f"The output {path} has no format that can be written.", hint)
    if suffix == PARQUET:
        load_pyarrow()
    if path.exists() and not path.is_file():
        raise ConfigError(f"The output {path} exists and is not a file.", "Name another place.")


def growing_path(path: Path) -> Path:
    """Where the rows are until the output is complete."""
    return path.with_name(f"{path.name}.partial.jsonl") if path.suffix.lower() == PARQUET else path


def read_output(path: Path) -> Iterator[OutputRow]:
    """The rows of an output that is complete, one at a time."""
    if path.suffix.lower() == PARQUET:
        yield from read_parquet(path)
        return
    records = RecordFile(path, FORMATS[path.suffix.lower()]())
    try:
        yield from (row for row in records.recover() if row is not None)
    finally:
        records.close()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Nobody else writes ``path`` meanwhile."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    with writing(path):
        try:
            lock.acquire(timeout=0)
        except Timeout:  # an OSError
            hint = "Wait for its end, or name another place."
            raise ConfigError(f"Another process is writing {path}.", hint) from None
    try:
        yield
    finally:
        with suppress(OSError):  # while it is held: who waits for the old file sees that it has no name any more
            Path(lock.lock_file).unlink()
        lock.release()


def _thaw(path: Path, growing: Path) -> None:
    """The rows of a Parquet file as JSON Lines beside it."""
    aside = growing.with_name(f".{growing.name}.tmp")
    aside.unlink(missing_ok=True)
    records = RecordFile(aside, JsonLines())
    try:
        for row in read_parquet(path):
            records.append(row)
        records.close()
        with writing(growing):
            aside.replace(growing)
            sync_folder(growing.parent)
    finally:
        records.close()
        aside.unlink(missing_ok=True)
