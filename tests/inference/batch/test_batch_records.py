"""Files of rows: what is written is read again, what is cut off is cut away, what is not ours stays."""

from __future__ import annotations

import csv
import io
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.batch.columns import COLUMNS
from vi.inference.batch.csv import Csv
from vi.inference.batch.failures import OutputMismatch
from vi.inference.batch.jsonl import JsonLines
from vi.inference.batch.records import RecordFile

KEY = ".".join(["0123456789ab"] * 5)
TEXTS = st.text(st.sampled_from(string.printable + '",\n\r\u2028é漢😀\ud83d'), min_size=1, max_size=12)
VALUES = {
    str: TEXTS,
    int: st.integers(0, 2**53),
    float: st.floats(0, 1e6),
    bool: st.booleans(),
    list: st.lists(st.text(max_size=4), max_size=2),
}


@st.composite
def output_rows(draw):
    row = {name: draw(st.none() | VALUES[kind]) for name, kind in COLUMNS.items()}
    return row | {"key": KEY}


@pytest.fixture(params=[JsonLines(), Csv()], ids=["jsonl", "csv"])
def format(request):
    return request.param


def a_row(text):
    return dict.fromkeys(COLUMNS) | {"source": "a.png", "answer": text, "key": KEY}


def recovered(path, format):
    records = RecordFile(path, format)
    rows = list(records.recover())
    return records, rows


@given(row=output_rows())
def test_json_lines_hold_any_row_on_one_line(row):
    record = JsonLines().encode(row)
    assert record.count(b"\n") == 1
    assert record.endswith(b"\n")
    assert JsonLines().decode(record) == row


@given(row=output_rows())
def test_csv_holds_any_row_that_utf_8_can_write(row):
    format = Csv()
    record = format.encode(row)
    assert format.is_whole(record)
    read = format.decode(record)
    assert read == {name: _as_in_csv(value) for name, value in row.items()}


def _as_in_csv(value):
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def test_csv_is_what_other_readers_read(tmp_path):
    row = a_row('He said "no, 3",\nthen 😀\r\nleft') | {"warnings": ["one, two"], "truncated": True}
    records = RecordFile(tmp_path / "a.csv", Csv())
    list(records.recover())
    records.append(row)
    records.close()
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        (read,) = csv.DictReader(file)
    assert read["answer"] == row["answer"]
    assert json.loads(read["warnings"]) == ["one, two"]
    assert (read["truncated"], read["error"]) == ("true", "")


def test_a_file_cut_off_at_any_byte_keeps_its_whole_rows_and_takes_more(tmp_path, format):
    path = tmp_path / "rows"
    texts = ["one", 'two,\n"quoted"\r\nlines 😀', "three"]
    whole, _ = recovered(path, format)
    for text in texts:
        whole.append(a_row(text))
    whole.close()
    data, ends = path.read_bytes(), list(whole._starts)
    cuts = {*range(0, len(data), 17), *(end + by for end in ends for by in (-2, -1, 0, 1))}
    for cut in sorted(cut for cut in cuts if 0 <= cut < len(data)):
        path.write_bytes(data[:cut])
        records, rows = recovered(path, format)
        complete = sum(end <= cut for end in ends[1:])
        assert [row["answer"] for row in rows] == texts[:complete]
        records.append(a_row("more"))
        assert [row["answer"] for row in records.rows()] == [*texts[:complete], "more"]
        records.close()
        assert path.read_bytes() == data[: ends[complete]] + format.encode(a_row("more"))


def test_a_damaged_row_is_passed_over_and_the_rest_stays(tmp_path, format):
    path = tmp_path / "rows"
    records, _ = recovered(path, format)
    for text in ("one", "two", "three"):
        records.append(a_row(text))
    records.close()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[-2] = b"\0\0\0\n"
    path.write_bytes(b"".join(lines))
    records, rows = recovered(path, format)
    assert [row and row["answer"] for row in rows] == ["one", None, "three"]
    records.rearrange([2, 0])
    assert [row["answer"] for row in records.rows()] == ["three", "one"]
    records.close()
    assert recovered(path, format)[1] == [a_row("three"), a_row("one")]


@pytest.mark.parametrize(
    "content", ["source,label\r\na.png,3\r\n", '{"source": "a.png"}\n', '{"id": 1}', "notes", "a\nb\nc\n", "\n"]
)
def test_a_file_that_something_else_wrote_is_refused_and_stays(tmp_path, format, content):
    path = tmp_path / "rows"
    path.write_text(content, newline="")
    with pytest.raises(OutputMismatch, match="of a batch"):
        recovered(path, format)
    assert path.read_text() == io.StringIO(content, newline=None).read()


def test_rearranging_needs_no_memory_of_the_rows_and_leaves_no_other_file(tmp_path, format):
    path = tmp_path / "rows"
    records, _ = recovered(path, format)
    for number in range(50):
        records.append(a_row(str(number)))
    path.chmod(0o640)
    records.rearrange(range(49, -1, -1))
    records.append(a_row("last"))
    records.close()
    assert [row["answer"] for row in recovered(path, format)[1]] == [*map(str, range(49, -1, -1)), "last"]
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]
