"""``vi-infer demo``: the table, the sheet, and the command itself where the embedded run is present."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PIL import Image
from rich.console import Console

from vi import workbench
from vi.cli.demo import ASKS, CELL, Ask, Told, answers, drawn
from vi.cli.demo_table import WIDE, table
from vi.inference import InferenceError, ViModel
from vi.inference.task_types import GroundedPhrase, PhraseGrounding, PhraseGroundingResponse

EMBEDDED = (workbench.run_path() / "model").is_dir() and bool(workbench.samples())


@pytest.fixture
def asks():
    return (
        Ask("0", "How many?", "short-caption", seed=1),
        Ask("0", "How many?", "short-caption", cot=True),
        Ask("1", "Locate all parts.", "short-caption", task="phrase-grounding"),
    )


@pytest.fixture
def grounded():
    found = GroundedPhrase(phrase="bolt", grounding=[[0, 0, 512, 512], [512, 512, 1024, 1024]])
    response = PhraseGroundingResponse(
        prompt="Locate all parts.", result=PhraseGrounding(sentence="a bolt", groundings=[found])
    )
    return Told(Ask("0", "Locate all parts.", "deterministic", task="phrase-grounding"), response, None)


def shown(told, width):
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table(told, width))
    return captured.get()


def test_each_question_gets_its_answer_from_a_real_model(asks, pictures, tiny_checkpoint):
    with ViModel(pretrained_model_name_or_path=tiny_checkpoint) as model:
        told = list(answers(model, asks, lambda name: pictures[int(name)]))
    assert [each.ask for each in told] == list(asks)
    assert [each.error for each in told] == [None, None, None]
    assert told[0].answer.generation["seed"].value == 1
    assert told[1].answer.raw_output.startswith("<think>")
    assert told[2].answer.prompt == "Locate all parts."


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_every_fact_is_there(grounded, width):
    failed = Told(Ask("1", "Why?", "creative", seed=2), None, InferenceError("It broke."))
    text = shown([grounded, failed], width)
    assert max(map(len, text.splitlines())) <= width
    for fact in ("Locate all parts.", "deterministic", "a bolt", "boxes]", "0.00 s", "stop", "creative, seed 2", "It"):
        assert fact in text
    assert ("Tokens" in text) is (width >= WIDE)


def test_a_question_asked_again_of_the_same_picture_is_printed_once(grounded):
    assert shown([grounded, grounded], 120).count("Locate") == 1


def test_grounded_answers_are_drawn_on_one_sheet(grounded, pictures):
    sheet = drawn([grounded, grounded], lambda name: pictures[int(name)])
    assert sheet.width > 2 * CELL


def test_without_boxes_there_is_no_sheet(pictures):
    assert drawn([Told(ASKS[0], None, InferenceError("It broke."))], lambda name: pictures[0]) is None


def test_a_name_that_is_no_pictures_is_refused_before_the_model_loads(vi_infer, tmp_path):
    result = vi_infer("demo", "--out", tmp_path / "demo.txt")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "does not end like a picture" in result.stderr


@pytest.mark.skipif(not workbench.samples(), reason="the sample pictures are not here")
def test_every_question_is_about_a_sample():
    assert all(workbench.sample(ask.picture).is_file() for ask in ASKS)


@pytest.mark.skipif(not EMBEDDED, reason="the embedded run is not here")
def test_the_demo_answers_everything_and_draws(tmp_path):
    out = tmp_path / "vi-demo.png"
    done = subprocess.run(
        [sys.executable, "-m", "vi", "demo", "--out", str(out)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(ask.picture in done.stdout for ask in ASKS)
    if out.exists():  # a model that finds nothing draws nothing
        assert str(out) in done.stdout
        with Image.open(out) as sheet:
            assert sheet.width > CELL
