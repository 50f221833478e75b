"""Any number of sources: one by one, as rows of a table, written to a file; and what one would take."""

from __future__ import annotations

import csv
import itertools
import json

import pytest
from tests.inference.asking import GREEDY, answer, failure, picture

from vi.inference import ConfigError, InferenceError, PromptError, ViModel
from vi.inference.media.tables import read_table

SIZES = [(64, 48), (200, 100), (30, 90)]


@pytest.fixture
def table(tmp_path):
    """Three pictures, of which the second row asks in its own way and the last is not there."""
    for number, size in enumerate(SIZES[:2]):
        picture(size).save(tmp_path / f"{number}.png")
    rows = [
        ("source", "prompt", "task", "generation_config"),
        ("0.png", "", "", ""),
        ("1.png", "Which one?", "generic", json.dumps({"max_new_tokens": 3})),
        ("2.png", "", "", ""),
    ]
    with (tmp_path / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return tmp_path / "table.csv"


@pytest.mark.parametrize("ordered", [True, False])
def test_iter_answers_each_as_a_call_does(tiny_model, ordered):
    sources = [picture(size) for size in SIZES]
    alone = [answer(tiny_model(source, "Which?", GREEDY)).raw_output for source in sources]
    told = list(tiny_model.iter(sources, "Which?", GREEDY, ordered=ordered))
    assert {id(source): result.raw_output for source, result, _ in told} == dict(
        zip(map(id, sources), alone, strict=True)
    )
    assert not ordered or [source for source, _, _ in told] == sources


def test_iter_reads_no_further_than_it_must(tiny_model):
    read = []

    def endless():
        for number in itertools.count():
            read.append(number)
            yield picture()

    told = tiny_model.iter(endless(), "Which?", GREEDY)
    assert next(told)[1] is not None
    told.close()
    assert len(read) < 100


def test_iter_takes_a_prompt_for_each_and_says_when_they_run_out(tiny_model):
    told = list(tiny_model.iter([picture()] * 2, iter(["First?", " "]), GREEDY))
    assert told[0][1].prompt == "First?"
    assert isinstance(told[1][2], PromptError)
    with pytest.raises(PromptError, match="fewer prompts"):
        list(tiny_model.iter([picture()] * 2, ["First?"], GREEDY))


def test_iter_refuses_at_once_what_is_wrong_for_all(tiny_model):
    with pytest.raises(ConfigError):
        tiny_model.iter([picture()], "?", {"top_p": 3})


def test_a_row_goes_before_the_call(tiny_model, table):
    (first, second, third) = tiny_model.iter(read_table(table), "For all?", GREEDY, task_type="vqa")
    assert (first[1].prompt, first[0].number) == ("For all?", 1)
    assert (second[1].prompt, second[1].generation["max_new_tokens"].value) == ("Which one?", 3)
    assert second[1].generation["logprobs"].origin == "call"
    assert "no file" in str(third[2])


def test_run_writes_a_row_for_each_and_asks_none_twice(tiny_model, table, tmp_path):
    out = tmp_path / "answers.jsonl"
    summary = tiny_model.run(table, out, "For all?", GREEDY, task_type="vqa")
    assert (summary.num_answered, summary.num_failed) == (2, 1)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["prompt"] for row in rows] == ["For all?", "Which one?", "For all?"]
    again = tiny_model.run(table, out, "For all?", GREEDY, task_type="vqa")
    assert (again.num_present, again.num_asked) == (3, 0)


def test_an_estimate_is_what_the_answer_then_uses(tiny_model):
    told = tiny_model.estimate(picture((200, 100)), "Which one is it?", GREEDY)
    used = answer(tiny_model(picture((200, 100)), "Which one is it?", GREEDY)).usage
    assert (told.prompt_tokens, told.image_tokens) == (used.prompt_tokens, used.image_tokens)
    assert told.picture_size == (200, 100)
    assert told.fits
    assert 0 < told.cache_bytes < told.cache_size


def test_an_estimate_says_that_a_prompt_is_too_long_where_a_call_refuses_it(tiny_model):
    told = tiny_model.estimate(picture(), "long " * 3000)
    assert not told.fits
    assert told.max_new_tokens == 0
    assert f"{told.prompt_tokens:,}" in str(failure(tiny_model(picture(), "long " * 3000)))


def test_a_closed_model_neither_runs_nor_estimates(tiny_checkpoint, tmp_path):
    model = ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu")
    model.close()
    for use in (
        lambda: model.iter([picture()], "?"),
        lambda: model.estimate(picture(), "?"),
        lambda: model.run([picture()], tmp_path / "out.jsonl", "?"),
    ):
        with pytest.raises(InferenceError, match="closed"):
            use()
