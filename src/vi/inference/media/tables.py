"""Tables of questions: CSV, JSON Lines or Parquet with a ``source`` and a ``prompt`` column, read row by row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import ConfigError, PromptError, SourceError, ViError, did_you_mean
from .items import SourceItem, bad_item
from .labels import printable
from .lists import beside
from .opening import open_file
from .policy import MediaPolicy
from .sources import expand

COLUMNS = ("source", "prompt", "task", "id", "generation_config")
"""What a row may say; ``source`` is needed, other columns are not looked at."""

_BATCH = 256  # rows of Parquet that are in memory at a time
_INSTALL = "Install pyarrow, or save the table as CSV or JSON Lines."


@dataclass(frozen=True, eq=False)
class Row:
    """One question of a table.

    number: 1 for the first row of data. source: bad where the row names none or several. prompt, task, id: None where
    the cell is empty. generation_config: parameters as they are written, not yet checked. error: why the row cannot be
    asked, if it cannot; the rows after it still can.
    """

    number: int
    source: SourceItem
    prompt: str | None = None
    task: str | None = None
    id: str | None = None
    generation_config: Mapping[str, Any] | None = None
    error: ViError | None = None


def is_table(path: Path) -> bool:
    """Whether a file's name ends as a table's does."""
    return path.suffix.lower() in _READERS


def read_table(path: Path, policy: MediaPolicy | None = None) -> Iterator[Row]:
    """The rows of a table, one at a time, in order; a relative source counts from the table's own folder.

    In CSV, ``generation_config`` is a JSON object. Nothing is fetched or decoded. Raises SourceError, with the first
    row, where the file cannot be read, is no such table, lacks the ``source`` column or needs pyarrow.
    """
    policy = MediaPolicy.coerce(policy)
    label = printable(str(path))
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise SourceError(f"{label} is not a table.", f"It takes a name that ends in {', '.join(_READERS)}.")
    with open_file(path, label, policy) as file:
        for number, cells in enumerate(reader(file, label), 1):
            yield _row(number, cells, path, policy)


def _row(number: int, cells: Mapping[str, Any] | ViError, table: Path, policy: MediaPolicy) -> Row:
    if isinstance(cells, ViError):
        return Row(number, bad_item(None, f"row {number}", cells.message, cells.hint), error=cells)
    item = _source(cells.get("source"), f"row {number}", table, policy)
    try:
        prompt, task, name = (_text(cells.get(column), column, number) for column in ("prompt", "task", "id"))
        config = _config(cells.get("generation_config"), number)
    except ViError as error:
        return Row(number, item, error=error)
    return Row(number, item, prompt, task, name, config, item.error)


def _source(source: Any, label: str, table: Path, policy: MediaPolicy) -> SourceItem:
    if source is None or source == "":
        return bad_item(source, label, f"In {label} the source is empty.")
    found = expand(beside(table, source) if isinstance(source, str) else source, policy=policy)
    if found.many:
        count = len(found.items)
        return bad_item(source, label, f"In {label} the source stands for {count} pictures; a row takes one.")
    return found.items[0]


def _text(value: Any, column: str, number: int) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if column == "id" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    kind = PromptError if column == "prompt" else ConfigError
    raise kind(f"In row {number} the {column} is of type {type(value).__name__}; it takes text.")


def _config(value: Any, number: int) -> Mapping[str, Any] | None:
    if value is None or value == "":
        return None
    try:
        config = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        config = None
    if not isinstance(config, Mapping):
        form = 'The form is {"max_new_tokens": 64}.'
        raise ConfigError(f"In row {number} generation_config is not an object of parameters.", form)
    return config


def _csv(file: BinaryIO, label: str) -> Iterator[Mapping[str, Any] | ViError]:
    with io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        rows = csv.reader(text, strict=True)
        header = _guarded(rows, label)
        if isinstance(header, ViError) or header is None:
            raise header or SourceError(f"{label} is an empty table.")
        names = [name.strip().lower() for name in header]
        _require_source(names, label)
        while (cells := _guarded(rows, label)) is not None:
            if isinstance(cells, ViError):
                yield cells
                return  # where the next row begins is not known
            if len(cells) > len(names):
                yield SourceError(f"A row of {label} has {len(cells)} cells for {len(names)} columns.", "Quote commas.")
            elif cells:
                yield dict(zip(names, cells, strict=False))


def _guarded(rows: Iterator[list[str]], label: str) -> list[str] | ViError | None:
    try:
        return next(rows, None)
    except UnicodeDecodeError:
        return SourceError(f"{label} is not UTF-8 text.", "Save it as UTF-8.")
    except csv.Error as error:
        return SourceError(f"{label} is not CSV ({error}).", "Long cells, such as base64, fit into JSON Lines.")


def _jsonl(file: BinaryIO, label: str) -> Iterator[Mapping[str, Any] | ViError]:
    for line in file:
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError):
            yield SourceError(f"A row of {label} is not JSON.", "Each line is one object.")
            continue
        if not isinstance(cells, dict):
            yield SourceError(f"A row of {label} is not an object.", 'The form is {"source": ..., "prompt": ...}.')
        elif "source" not in cells:
            near = did_you_mean("source", cells)
            yield SourceError(f"A row of {label} has no source.", near)
        else:
            yield cells


def _parquet(file: BinaryIO, label: str) -> Iterator[Mapping[str, Any] | ViError]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise SourceError(f"{label} needs a package that is not installed.", _INSTALL) from None
    try:
        table = parquet.ParquetFile(file)
        _require_source(table.schema_arrow.names, label)
        columns = [name for name in table.schema_arrow.names if name in COLUMNS]
        for batch in table.iter_batches(_BATCH, columns=columns):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise SourceError(f"{label} is not a Parquet table that can be read ({type(error).__name__}).") from error


def _require_source(names: list[str], label: str) -> None:
    if "source" not in names:
        near = did_you_mean("source", names) or f"It has {', '.join(map(printable, names[:10]))}."
        raise SourceError(f"{label} has no column named source.", near)


_READERS: dict[str, Callable[[BinaryIO, str], Iterator[Mapping[str, Any] | ViError]]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
}
