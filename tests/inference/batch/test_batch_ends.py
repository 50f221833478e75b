"""Batches that end badly: killed, out of disk space, in places that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.inference.batch import batch_process

from vi.inference.batch.output import growing_path, open_output, read_output
from vi.inference.errors import ConfigError

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals and limits are POSIX's")
ROOT = Path(__file__).parents[3]
COUNT = 400


def in_a_process(code, *arguments):
    """Run Python ``code`` with what is in batch_process at hand."""
    lines = "import sys\nfrom pathlib import Path\nfrom tests.inference.batch.batch_process import *\n" + code
    return subprocess.run(
        [sys.executable, "-c", lines, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )


@POSIX
def test_a_batch_that_is_killed_again_and_again_has_every_source_once(out):
    done = in_a_process(
        "import random\n"
        "delays = [random.uniform(0.02, 0.2) for _ in range(12)]\n"
        f"slow = kill_again_and_again(Path(sys.argv[1]), {COUNT}, 0.005, delays[:8])\n"
        f"fast = kill_again_and_again(Path(sys.argv[1]), {COUNT}, 0, delays[8:])  # some when all is written\n"
        "print(slow)\n",
        out,
    )
    assert (int(done.stdout), done.stderr) == (8, "")
    summary = batch_process.run(out, COUNT, 0)
    assert summary.num_present > 20  # the last row may not have been whole, all others were
    assert [row["source"] for row in read_output(out)] == list(batch_process.sources(COUNT))
    assert [row["answer"] is None for row in read_output(out)] == [n % 10 == 7 for n in range(COUNT)]
    assert list(out.parent.iterdir()) == [out]


@POSIX
def test_a_full_disk_is_one_error_and_what_was_written_stays(out):
    limited = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))\n"
        f"try:\n    run(Path(sys.argv[1]), {COUNT}, 0)\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    done = in_a_process(limited, out)
    assert done.stdout.startswith(f"OutputError {growing_path(out)} cannot be written any further (File too large).")
    assert done.stdout.strip().endswith("What was written stays. Make room, then run the same again: it goes on there.")
    assert growing_path(out).read_bytes().endswith(b"\n")  # no half row
    assert growing_path(out).stat().st_size <= 30_000
    summary = batch_process.run(out, COUNT, 0)
    assert 20 < summary.num_present < COUNT
    assert [row["source"] for row in read_output(out)] == list(batch_process.sources(COUNT))


@POSIX
def test_a_disk_that_is_full_when_old_rows_are_to_go_leaves_all_of_them(tmp_path):
    out = tmp_path / "answers.jsonl"
    batch_process.run(out, 60, 0)
    before = out.read_bytes()
    done = in_a_process(
        f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) - 1}, resource.RLIM_INFINITY))\n"
        f"with_order = reversed(range(60))\n"
        "from vi.inference.batch.output import open_output\n"
        "try:\n"
        "    with open_output(Path(sys.argv[1])) as output:\n"
        "        list(output.records.recover())\n"
        "        output.finish(with_order, changed=True)\n"
        "except Exception as error:\n    print(type(error).__name__)\n",
        out,
    )
    assert (done.stdout, done.stderr) == ("OutputError\n", "")
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


@POSIX
@pytest.mark.slow
def test_100_000_sources_take_no_more_memory_than_1_000(tmp_path):
    measured = (
        "import resource\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "out = Path(sys.argv[1])\n"
        "run(out / 'few.jsonl', 1_000, 0)\n"
        "few = peak()\n"
        "run(out / 'many.jsonl', 100_000, 0)\n"
        "print(peak() - few)\n"
    )
    done = in_a_process(measured, tmp_path)
    assert done.stderr == ""
    assert float(done.stdout) < 16  # MiB; the answers themselves are 50
    with (tmp_path / "many.jsonl").open("rb") as file:
        assert sum(1 for _ in file) == 100_000


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("answers.json", "Did you mean .jsonl? It takes a name that ends with .jsonl, .ndjson, .csv, .parquet."),
        ("answers", "It takes a name that ends with .jsonl, .ndjson, .csv, .parquet."),
        ("folder.csv", "exists and is not a file. Name another place."),
        ("file/answers.csv", "cannot be written (File exists). Name another place."),
    ],
)
def test_a_place_that_is_none_is_told_with_what_to_do(tmp_path, name, told):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError) as error, open_output(tmp_path / name):
        pass
    assert str(error.value).endswith(told)


@POSIX
def test_a_folder_that_may_not_be_written_into_is_told(read_only_store):
    with (
        pytest.raises(ConfigError, match=r"cannot be written \(Permission denied\)"),
        open_output(read_only_store / "a.jsonl"),
    ):
        pass


def test_two_batches_cannot_write_one_output(tmp_path):
    out = tmp_path / "a.csv"
    with open_output(out), pytest.raises(ConfigError, match="Another process is writing"), open_output(out):
        pass
    with open_output(out):
        pass


def test_parquet_without_pyarrow_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigError, match="pip install pyarrow"), open_output(tmp_path / "a.parquet"):
        pass


def test_a_parquet_file_has_types_and_a_row_for_each(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = tmp_path / "a.parquet"
    batch_process.run(out, 30, 0)
    table = parquet.read_table(out)
    assert table.num_rows == 30
    assert str(table.schema.field("completion_tokens").type) == "int64"
    assert str(table.schema.field("truncated").type) == "bool"
    assert str(table.schema.field("boxes").type).startswith("list<")
    assert table["answer"][0].as_py() == 'http://host/0.png says "two,\r\nthree" 😀'
