from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.errors import ConfigError, PromptError, SourceError
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.tables import is_table, read_table

ROWS = [
    {"source": "a.png", "prompt": "What, exactly?", "task": "vqa", "id": "7", "generation_config": {"seed": 3}},
    {"source": "https://example.org/b.png", "prompt": 'Say "hi"\nand more', "task": None, "id": None},
]


def as_csv(path: Path) -> Path:
    path.write_text(
        "\ufeffsource,prompt,task,id,generation_config,extra\r\n"
        'a.png,"What, exactly?",vqa,7,"{""seed"": 3}",x\r\n'
        'https://example.org/b.png,"Say ""hi""\nand more",,,\r\n',
        "utf-8",
        newline="",
    )
    return path


def as_jsonl(path: Path) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in ROWS) + "\n\n", "utf-8")
    return path


def as_parquet(path: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {
        name: [json.dumps(r[name]) if name == "generation_config" and name in r else r.get(name) for r in ROWS]
        for name in ("source", "prompt", "task", "id", "generation_config")
    }
    parquet.write_table(pyarrow.table({**columns, "pixels": [1, 2]}), path)
    return path


@pytest.mark.parametrize(("make", "suffix"), [(as_csv, ".csv"), (as_jsonl, ".jsonl"), (as_parquet, ".parquet")])
def test_every_kind_of_table_says_the_same(tmp_path, make, suffix):
    (tmp_path / "a.png").touch()
    path = make(tmp_path / f"questions{suffix}")
    assert is_table(path)
    first, second = read_table(path)
    assert (first.number, first.source.value, first.prompt) == (1, tmp_path / "a.png", "What, exactly?")
    assert (first.task, first.id, first.generation_config, first.error) == ("vqa", "7", {"seed": 3}, None)
    assert (second.source.kind, second.prompt, second.task, second.id) == ("url", 'Say "hi"\nand more', None, None)
    assert second.generation_config is None


def test_rows_are_read_one_by_one(tmp_path):
    path = tmp_path / "endless.jsonl"
    path.write_text('{"source": "https://h/a.png"}\n' * 1000 + "not json\n")
    rows = read_table(path)
    assert next(rows).error is None
    rows.close()


def test_a_bad_row_stops_nothing(tmp_path):
    path = tmp_path / "t.jsonl"
    url = "https://h/a.png"
    lines = [
        "{", "[]", '{"image": 1}', json.dumps({"source": ""}), json.dumps({"source": "gone.png"}),
        json.dumps({"source": url, "prompt": 7}), json.dumps({"source": url, "task": 7}),
        json.dumps({"source": url, "generation_config": "x"}), json.dumps({"source": 7}),
        json.dumps({"source": "*.png"}), "[" * 100_000, json.dumps({"source": url, "id": 12}),
    ]  # fmt: skip
    path.write_text("\n".join(lines))
    rows = list(read_table(path))
    kinds = [SourceError] * 5 + [PromptError, ConfigError, ConfigError] + [SourceError] * 3
    assert [type(row.error) for row in rows[:-1]] == kinds
    assert (rows[-1].error, rows[-1].id, rows[-1].number) == (None, "12", 12)


def test_csv_with_a_short_or_long_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("source,prompt\nhttps://h/a.png\nhttps://h/b.png,hi,there\n\nhttps://h/c.png,yes\n")
    rows = list(read_table(path))
    assert [(row.prompt, row.error is None) for row in rows] == [(None, True), (None, False), ("yes", True)]
    assert "3 cells for 2 columns" in str(rows[1].error)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "is an empty table"),
        ("t.csv", b"sorce,prompt\na,b\n", "Did you mean sorce?"),
        ("t.csv", b"image,prompt\na,b\n", "It has image, prompt."),
        ("t.csv", b"\xff\xfe\x00", "is not UTF-8 text"),
        ("t.parquet", b"PAR1 no", "not a Parquet table"),
        ("t.xlsx", b"", "It takes a name that ends in .csv, .jsonl"),
    ],
)
def test_what_is_no_table_is_said_at_once(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as caught:
        list(read_table(tmp_path / name))
    assert said in str(caught.value)


def test_a_table_obeys_the_policy(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"source": "/etc/passwd"}\n{"source": "a.png"}\n{"source": "https://h/a.png"}\n')
    rooted = MediaPolicy(roots=[tmp_path], schemes=["file"])
    assert [row.error is None for row in read_table(path, rooted)] == [False, True, False]
    with pytest.raises(SourceError, match="no files of this machine"):
        list(read_table(path, MediaPolicy.untrusted()))


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(SourceError, match="Install pyarrow"):
        list(read_table(tmp_path / "t.parquet"))


def test_bytes_in_parquet_are_pictures(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"source": [b"abc"]}), tmp_path / "t.parquet")
    (row,) = read_table(tmp_path / "t.parquet")
    assert (row.source.kind, row.source.value) == ("bytes", b"abc")


@given(st.binary(max_size=200), st.sampled_from([".csv", ".jsonl"]))
def test_any_bytes_give_rows_or_a_source_error(tmp_path_factory, content, suffix):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(content)
    try:
        rows = list(read_table(path))
    except SourceError:
        return
    assert all(row.source.label.isprintable() for row in rows)
