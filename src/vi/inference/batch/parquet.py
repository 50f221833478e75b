"""Rows as Parquet, made at the end from the JSON Lines that were written until then."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from vi.inference.batch.columns import COLUMNS, OutputRow
from vi.inference.batch.failures import OutputMismatch, writing
from vi.inference.durable import sync_folder
from vi.inference.errors import ConfigError

PARQUET = ".parquet"
ROWS_AT_ONCE = 1000


def load_pyarrow() -> Any:
    """pyarrow with its ``parquet``. Raises ConfigError that says how to get it."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise ConfigError("Parquet needs pyarrow, which is not installed.", "pip install pyarrow") from None
    return pyarrow


def write_parquet(path: Path, rows: Iterable[OutputRow]) -> None:
    """Write the rows, a thousand in memory at a time; the file is absent or complete."""
    pa = load_pyarrow()
    schema = _schema(pa)
    aside = path.with_name(f".{path.name}.tmp")
    left = iter(rows)
    try:
        with writing(path):
            with pa.parquet.ParquetWriter(aside, schema, compression="zstd") as writer:
                while some := list(islice(left, ROWS_AT_ONCE)):
                    writer.write_table(pa.Table.from_pylist([_whole(row) for row in some], schema=schema))
            with aside.open("rb+") as file:
                os.fsync(file.fileno())
            aside.replace(path)
            sync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


def read_parquet(path: Path) -> Iterator[OutputRow]:
    """The rows of a file that ``write_parquet`` wrote. Raises OutputMismatch for another."""
    pa = load_pyarrow()
    try:
        file = pa.parquet.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise _not_ours(path, str(error)) from None
    with file:
        missing = COLUMNS.keys() - set(file.schema_arrow.names)
        if missing:
            raise _not_ours(path, f"it has no column {min(missing)}")
        for batch in file.iter_batches(ROWS_AT_ONCE):
            yield from batch.to_pylist()


def count_rows(path: Path) -> int:
    """How many rows any Parquet file has, by its last bytes."""
    count: int = load_pyarrow().parquet.read_metadata(path).num_rows
    return count


def _schema(pa: Any) -> Any:
    text = pa.string()
    box = pa.struct([("phrase", text), ("box", pa.list_(pa.int32())), ("confidence", pa.float64())])
    kinds = {str: text, int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    lists = {"boxes": pa.list_(box), "warnings": pa.list_(text)}
    return pa.schema([(name, lists.get(name) or kinds[kind]) for name, kind in COLUMNS.items()])


def _whole(row: OutputRow) -> OutputRow:
    """The row with text that UTF-8 can hold."""
    return {
        name: value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value
        for name, value in row.items()
    }


def _not_ours(path: Path, why: str) -> OutputMismatch:
    return OutputMismatch(
        f"{path} exists and is not the Parquet of a batch ({why}).", "Name another place, or move it away."
    )
