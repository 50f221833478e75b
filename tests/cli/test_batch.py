"""``vi-infer batch``, with the embedded model."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from vi import workbench
from vi.inference import ViModel
from vi.inference.batch.output import read_output

pytestmark = pytest.mark.skipif(not (workbench.run_path() / "model").is_dir(), reason="the embedded run is not here")

CAP = ["--max-new-tokens", "12"]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def batch(vi_infer, out):
    """``vi-infer batch`` into ``out``."""
    return lambda *arguments: vi_infer("batch", *arguments, "-o", out, *CAP)


def rows(path):
    return list(read_output(path))


def test_a_folder_is_answered_as_python_answers_it(batch, out, pictures):
    result = batch(pictures[0].parent, "-p", "How many parts are there?", "--task", "vqa")
    with ViModel() as model:
        answers = model(pictures, "How many parts are there?", {"max_new_tokens": 12}, task_type="vqa")
    told = [row["answer"] or row["text"] for row in rows(out)]
    assert told == [str(getattr(answer.result, "answer", answer.result)) for answer, _ in answers]
    assert result.exit_code == 0
    assert "answered" in result.stdout
    assert "3 rows" in result.stdout


def test_a_table_says_what_to_ask_of_each_row_and_is_not_asked_twice(batch, out, pictures):
    table = pictures[0].parent / "table.jsonl"
    asks = [
        {"source": "0.png", "prompt": "How many, \n“in words”? 😀", "id": "a"},
        {"source": "1.png", "task": "phrase-grounding", "generation_config": {"max_new_tokens": 90}},
        {"source": "9.png", "prompt": "Gone?"},
    ]
    table.write_text("\n".join(map(json.dumps, asks)))
    first = batch(table, "-p", "What is it?", "--task", "vqa")
    told = rows(out)
    assert [row["prompt"] for row in told] == ["How many, \n“in words”? 😀", "What is it?", "Gone?"]
    assert [row["task"] for row in told] == ["vqa", "phrase-grounding", "vqa"]
    assert (told[0]["id"], told[2]["error_type"]) == ("a", "SourceError")
    assert told[1]["completion_tokens"] > 12
    assert told[1]["boxes"] is None or told[1]["width"] == 64
    assert first.exit_code == 1
    assert first.stderr.count("SourceError: ") == 1

    again = batch(table, "-p", "What is it?", "--task", "vqa")
    assert "nothing was left to ask" in again.stdout
    assert again.exit_code == 1  # as one row still has an error
    assert rows(out) == told


def test_another_prompt_or_configuration_is_bad_input_and_changes_nothing(batch, out, pictures):
    batch(pictures[0].parent, "-p", "One?")
    before = out.read_bytes()
    for arguments in (["-p", "Two?"], ["-p", "One?", "--temperature", "0.3"], ["-p", "One?", "--cot"]):
        result = batch(pictures[0].parent, *arguments)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"OutputMismatch: {out} has answers of another prompt or configuration")
        assert len(result.stderr.splitlines()) == 1
    assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--task", "vqq"], "ConfigError: task_type='vqq' is not a task. Did you mean vqa?"),
        (["--temperature", "3"], "ConfigError: temperature=3 is out of range; it takes 0.0 to 2.0."),
        (["--run-id", "x", "--model", "y"], "ConfigError: --run-id and --model exclude each other."),
    ],
)
def test_what_is_wrong_with_all_of_it_is_told_before_anything_is_written(batch, out, pictures, arguments, told):
    result = batch(pictures[0].parent, "-p", "x", *arguments)
    assert (result.exit_code, result.stderr.splitlines()[0][: len(told)]) == (2, told)
    assert not out.exists()


def test_an_input_that_is_not_there_and_an_output_of_no_format_are_told(vi_infer, pictures, tmp_path):
    result = vi_infer("batch", pictures[0].parent / "9.png", "-o", tmp_path / "a.csv")
    assert (result.exit_code, result.stderr[:12]) == (2, "SourceError:")
    result = vi_infer("batch", pictures[0], "-o", tmp_path / "a.json")
    assert result.exit_code == 2
    assert "Did you mean .jsonl?" in result.stderr
    assert list(tmp_path.iterdir()) == [pictures[0].parent]


def test_sources_that_are_all_bad_are_bad_input(batch, out, pictures):
    pictures[0].write_bytes(b"no picture")
    assert batch(pictures[0], "-p", "x").exit_code == 2
    Image.new("RGB", (64, 48)).save(pictures[0])
    assert batch(pictures[0], "-p", "x", "--retry-errors").exit_code == 0
    assert len(rows(out)) == 1


def test_the_page_and_the_boxes_are_written_beside(batch, pictures, tmp_path):
    page, boxes = tmp_path / "new" / "page.html", tmp_path / "boxes.json"
    result = batch(pictures[0].parent, "-p", "Locate it.", "--report", page, "--coco", boxes, "--logprobs", "0")
    assert result.exit_code == 0
    assert page.read_text(encoding="utf-8").count("<article") == 3
    assert json.loads(boxes.read_text())["annotations"] == []
    assert f"Written: {page}" in result.stderr


def started(folder, out, *arguments):
    arguments = ["batch", str(folder), "-o", str(out), "-p", "Describe it.", *CAP, *arguments]
    return subprocess.Popen([sys.executable, "-m", "vi", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_rows(out, process, count):
    while process.poll() is None and (not out.exists() or out.read_bytes().count(b"\n") < count):
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_a_killed_batch_goes_on_and_ends_with_every_picture_once(out, tmp_path):
    folder = many(tmp_path / "many", 40)
    for rows_before in (3, 15):
        with started(folder, out) as process:
            wait_for_rows(out, process, rows_before)
            time.sleep(random.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    with started(folder, out) as process:
        told, errors = process.communicate()
    assert (process.returncode, b"Error" in errors) == (0, False)
    assert [Path(row["source"]).name for row in rows(out)] == [f"{number}.png" for number in range(40)]
    assert all(row["error"] is None for row in rows(out))
    asked = next(line.split()[-1] for line in told.decode().splitlines() if line.startswith("asked now"))
    assert int(asked) <= 40 - 15


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_ctrl_c_says_how_much_there_is(out, tmp_path):
    with started(many(tmp_path / "many", 60), out) as process:
        wait_for_rows(out, process, 2)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    lines = told.decode().splitlines()
    assert (process.returncode, lines[-1]) == (130, "Interrupted.")
    count = len(rows(out))
    assert 2 <= count < 60
    assert lines[-2].endswith("of 60 rows are written; the same command goes on from there.")
    assert abs(int(lines[-2].split()[0]) - count) <= 1


def many(folder, count):
    folder.mkdir()
    for number in range(count):
        Image.new("RGB", (64, 48), (number, 4 * number % 256, 90)).save(folder / f"{number}.png")
    return folder
