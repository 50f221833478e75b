"""A batch, interrupted and resumed, its input changed; with an asker that says what it was asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from vi.inference.batch.failures import OutputMismatch
from vi.inference.batch.output import growing_path
from vi.inference.batch.run import Question, run_batch
from vi.inference.errors import ConfigError
from vi.inference.media.sources import expand
from vi.inference.media.tables import Row


class Interrupted:
    """An asker that Ctrl-C stops after some answers."""

    def __init__(self, echo, after):
        self._echo, self._after = echo, after

    def iter(self, *arguments, **options):
        for number, outcome in enumerate(self._echo.iter(*arguments, **options)):
            if number == self._after:
                raise KeyboardInterrupt
            yield outcome


def pictures(shots):
    return sorted(shots.iterdir())


def row(source, prompt=None, id=None):
    (item,) = expand(source).items
    return Row(0, item, prompt, id=id)


def test_every_source_has_one_row_in_the_order_of_the_input(batch, rows, shots):
    summary = batch([*pictures(shots), shots / "missing.png"])
    told = rows()
    assert [Path(row["source"]).name for row in told] == ["0.png", "1.png", "2.png", "3.png", "4.png", "missing.png"]
    assert [row["answer"] for row in told[:5]] == [f"{path}: What?" for path in pictures(shots)]
    assert told[5]["error_type"] == "SourceError"
    assert told[5]["answer"] is None
    assert (summary.num_answered, summary.num_failed, summary.errors) == (5, 1, {"SourceError": 1})


def test_a_finished_batch_asks_nothing_and_leaves_the_file_alone(batch, echo, out, shots):
    batch(pictures(shots))
    before = out.read_bytes()
    echo.asked.clear()
    summary = batch(pictures(shots))
    assert (echo.asked, summary.num_present, summary.num_asked) == ([], 5, 0)
    assert out.read_bytes() == before
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("after", range(6))
def test_an_interrupted_batch_goes_on_where_it_stopped(batch, echo, written, shots, after):
    if after < 5:
        with pytest.raises(KeyboardInterrupt):
            batch(pictures(shots), model=Interrupted(echo, after))
    batch(pictures(shots))
    assert written() == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    assert len(set(echo.asked)) == 5
    assert len(echo.asked) <= 6  # at most the one that was underway is asked twice


def test_equal_rows_of_the_input_have_a_row_each(batch, echo, written, shots):
    first, second, *_ = pictures(shots)
    with pytest.raises(KeyboardInterrupt):
        batch([first, first, second, first], model=Interrupted(echo, 2))
    summary = batch([first, first, second, first])
    assert written() == ["0.png", "0.png", "1.png", "0.png"]
    assert summary.num_present == 2


def test_a_picture_that_changed_is_asked_again_and_its_old_row_goes(batch, echo, rows, written, shots):
    batch(pictures(shots))
    Image.new("RGB", (8, 8)).save(shots / "2.png")
    echo.asked.clear()
    summary = batch(pictures(shots))
    assert echo.asked == [str(shots / "2.png")]
    assert written() == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    assert (summary.num_stale, summary.num_present) == (1, 4)


def test_a_picture_that_was_only_touched_is_not(batch, echo, shots):
    batch(pictures(shots))
    echo.asked.clear()
    (shots / "2.png").touch()
    batch(pictures(shots))
    assert echo.asked == []


def test_new_pictures_come_in_their_place_and_rows_of_lost_ones_are_kept(batch, written, shots):
    batch(pictures(shots))
    (shots / "3.png").unlink()
    Image.new("RGB", (8, 8)).save(shots / "1b.png")
    summary = batch(pictures(shots))
    assert written() == ["3.png", "0.png", "1.png", "1b.png", "2.png", "4.png"]
    assert (summary.num_gone, summary.num_stale) == (1, 0)


def test_another_prompt_is_refused_and_changes_nothing(batch, echo, out, shots):
    batch(pictures(shots))
    before = out.read_bytes()
    echo.asked.clear()
    with pytest.raises(OutputMismatch, match="another prompt or configuration"):
        batch(pictures(shots), prompt="Where?")
    assert (out.read_bytes(), echo.asked) == (before, [])


@pytest.mark.parametrize(
    "question",
    [Question("What?", {"temperature": 0.5}), Question("What?", task_type="vqa"), Question("What?", cot=True)],
    ids=["configuration", "task", "thinking"],
)
def test_whatever_else_is_asked_of_all_counts_as_well(batch, echo, out, shots, question):
    batch(pictures(shots))
    with pytest.raises(OutputMismatch, match="another prompt or configuration"):
        run_batch(echo, pictures(shots), out, question, model_key="0123456789ab")


def test_another_model_is_refused(batch, shots):
    batch(pictures(shots))
    with pytest.raises(OutputMismatch, match=r"answers of another model.* Name another place"):
        batch(pictures(shots), model_key="ba9876543210")


def test_a_row_that_asks_something_else_is_asked_again(batch, rows, shots):
    first, second, *_ = pictures(shots)
    batch([row(first, "How many?"), row(second, "How many?")])
    summary = batch([row(first, "How many?"), row(second, "Which colour?")])
    assert [row["answer"] for row in rows()] == [f"{first}: How many?", f"{second}: Which colour?"]
    assert (summary.num_asked, summary.num_stale) == (1, 1)


def test_one_picture_may_be_asked_several_things(batch, rows, shots):
    first, *_ = pictures(shots)
    asks = [row(first, prompt, id=str(number)) for number, prompt in enumerate(["a", "b", "a"])]
    batch(asks[:1])
    summary = batch(asks)
    assert [(row["id"], row["prompt"]) for row in rows()] == [("0", "a"), ("1", "b"), ("2", "a")]
    assert (summary.num_present, summary.num_stale) == (1, 0)


def test_errors_are_asked_again_when_wanted(batch, echo, rows, written, shots):
    missing = shots / "1b.png"
    sources = sorted([*pictures(shots), missing])
    batch(sources)
    echo.asked.clear()
    assert batch(sources).errors == {"SourceError": 1}
    assert echo.asked == []
    summary = batch(sources, retry_errors=True)
    assert echo.asked == [str(missing)]
    assert (summary.num_failed, summary.num_stale) == (1, 1)
    Image.new("RGB", (8, 8)).save(missing)
    summary = batch(sources, retry_errors=True)
    assert written() == ["0.png", "1.png", "1b.png", "2.png", "3.png", "4.png"]
    assert (summary.errors, summary.num_with_answer) == ({}, 6)
    assert all(row["error"] is None for row in rows())


def test_a_retry_that_is_interrupted_loses_no_answer_and_leaves_no_error_behind(batch, echo, rows, shots):
    missing = [shots / name for name in ("5.png", "6.png")]
    sources = [*missing, *pictures(shots)]
    batch(sources)
    for path in missing:
        Image.new("RGB", (8, 8)).save(path)
    with pytest.raises(KeyboardInterrupt):
        batch(sources, model=Interrupted(echo, 1), retry_errors=True)
    batch(sources)
    assert [row["source"] for row in rows()] == list(map(str, sources))
    assert all(row["answer"] for row in rows())


def test_unordered_rows_stand_as_they_were_finished(out, shots, written):
    from tests.inference.batch.conftest import Echo

    echo = Echo(backwards=True)
    run_batch(echo, pictures(shots), out, model_key="0" * 12, ordered=False)
    assert written() == ["4.png", "3.png", "2.png", "1.png", "0.png"]
    run_batch(echo, pictures(shots), out, model_key="0" * 12, ordered=False)
    assert len(echo.asked) == 5


def test_sources_in_memory_are_known_by_their_content(batch, echo, shots):
    data = [path.read_bytes() for path in pictures(shots)]
    batch(data)
    echo.asked.clear()
    with Image.open(shots / "0.png") as picture:
        assert batch([*data, picture]).num_asked == 1


def test_rows_are_told_as_they_come(batch, shots):
    told = []
    batch(pictures(shots)[:2])
    batch(pictures(shots), on_row=lambda summary, row: told.append((summary.num_rows, row is None)))
    assert told == [(1, True), (2, True), (3, False), (4, False), (5, False)]


def test_a_source_that_is_a_folder_is_its_pictures(batch, written, shots):
    batch([shots])
    assert written() == ["0.png", "1.png", "2.png", "3.png", "4.png"]


def test_what_the_model_refuses_for_all_leaves_the_output_as_it_was(batch, out, shots):
    class Refusing:
        def iter(self, *arguments, **options):
            raise ConfigError("No.")

    batch(pictures(shots)[:2])
    before = growing_path(out).read_bytes() if growing_path(out).exists() else out.read_bytes()
    with pytest.raises(ConfigError, match=r"No\."):
        batch(pictures(shots), model=Refusing())
    assert before in (growing_path(out).read_bytes(), out.read_bytes())
