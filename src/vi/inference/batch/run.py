"""A batch: every row of the input is asked, every answer is written, once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from vi.inference.batch.columns import OutputRow, answered_row, failed_row
from vi.inference.batch.input import Entry, entries
from vi.inference.batch.keys import Key, ask_part
from vi.inference.batch.ledger import Ledger
from vi.inference.batch.output import Output, open_output
from vi.inference.batch.sizes import picture_size
from vi.inference.batch.summary import Summary
from vi.inference.call import is_about_clips
from vi.inference.errors import ViError
from vi.inference.media.policy import MediaPolicy
from vi.inference.task_types import get_task

if TYPE_CHECKING:
    from vi.inference.task_types.response import PredictionResponse


class Asker(Protocol):
    """What a batch needs of a model: ``ViModel`` has it."""

    @property
    def iter(self) -> Callable[..., Iterator[tuple[Any, PredictionResponse | None, ViError | None]]]: ...


@dataclass(frozen=True)
class Question:
    """What is asked of every row that does not say otherwise itself; as in a call of ``ViModel``."""

    user_prompt: str | None = None
    generation_config: Any = None
    task_type: str | None = None
    cot: bool = False
    fps: float = 4.0
    min_pixels: int | None = None
    max_pixels: int | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The call's arguments beside the prompt, the settings and the task."""
        bounds = {"min_pixels": self.min_pixels, "max_pixels": self.max_pixels}
        given = {name: value for name, value in bounds.items() if value is not None}  # so that older keys hold
        return {"cot": self.cot, "fps": self.fps, **given}

    def key(self) -> str:
        """The ``call`` part of a key."""
        return ask_part(self.user_prompt, self.task_type, self.generation_config, **self.options)


def run_batch(
    model: Asker,
    rows: Iterable[Any],
    out: Path,
    question: Question | None = None,
    *,
    model_key: str,
    default_task: str = "freeform",
    ordered: bool = True,
    retry_errors: bool = False,
    media_policy: MediaPolicy | None = None,
    on_row: Callable[[Summary, OutputRow | None], None] | None = None,
) -> Summary:
    """Ask ``model`` about every row and write one row each to ``out``; what is there already is not asked again.

    rows: sources as ``ViModel`` takes them, or ``media.tables.Row``, in any iterable, read once and a little ahead.
    out: a name that ends with .jsonl, .csv or .parquet. model_key: from ``keys.model_part``. default_task: of rows and
    calls that name none. ordered: rows in the order of the input; False writes each as it is finished. retry_errors:
    ask again what has an error. media_policy: what may be read, in place of the model's own. on_row: called for every
    row of the input, with the row that was written or None where it was there before.

    Interrupted at any moment, the same call goes on where it was. A row whose source, prompt or settings have changed
    is asked again and its old row removed at the end. The model is not touched where nothing is left to ask.

    Raises ConfigError for an output that cannot be written, OutputMismatch for one of another model, prompt or
    configuration, OutputError where writing fails midway, and what ``rows`` and ``model.iter`` raise.
    """
    question = question or Question()
    tell = on_row or (lambda summary, row: None)
    summary = Summary(out)
    with open_output(out) as output:
        ledger = Ledger(out, retry_errors=retry_errors)
        ledger.add_existing(output.records.recover(), question.key(), model_key)
        found = entries(rows, media_policy, is_about_clips(question.task_type or default_task))
        left = _left_to_ask(found, ledger, (question.key(), model_key), summary, tell)
        options = {"ordered": ordered, "media_policy": media_policy}
        with closing(_outcomes(model, left, question, options, summary)) as outcomes:
            for entry, key, answer, error in outcomes:
                row = _row(entry, key, answer, error, question, default_task)
                output.records.append(row)
                ledger.add(entry.number)
                summary.count(row)
                tell(summary, row)
        _finish(output, ledger, summary, ordered)
    return summary


def _left_to_ask(
    rows: Iterable[Entry],
    ledger: Ledger,
    parts: tuple[str, str],
    summary: Summary,
    tell: Callable[[Summary, OutputRow | None], None],
) -> Iterator[tuple[Entry, Key]]:
    """The rows of the input that the output does not answer."""
    for entry in rows:
        key = entry.key(*parts)
        record = ledger.take(entry.number, key)
        if record is None:
            yield entry, key
            continue
        summary.count_present(ledger.failures.get(record))
        tell(summary, None)


def _outcomes(
    model: Asker, left: Iterator[tuple[Entry, Key]], question: Question, options: dict[str, Any], summary: Summary
) -> Generator[tuple[Entry, Key, PredictionResponse | None, ViError | None], None, None]:
    """What the model says of each; closing it cancels what has begun."""
    first = next(left, None)
    if first is None:
        return
    underway: dict[int, tuple[Entry, Key]] = {}

    def sources() -> Iterator[Any]:
        summary.start()  # the model is loaded
        for entry, key in chain([first], left):
            underway[id(entry.row)] = entry, key  # which keeps the row, so no other has its id meanwhile
            yield entry.row

    outcomes = model.iter(
        sources(), question.user_prompt, question.generation_config,
        task_type=question.task_type, **question.options, **options,
    )  # fmt: skip
    with closing(outcomes):  # type: ignore[type-var]
        for row, answer, error in outcomes:
            yield *underway.pop(id(row)), answer, error


def _row(
    entry: Entry,
    key: Key,
    answer: PredictionResponse | None,
    error: ViError | None,
    question: Question,
    default_task: str,
) -> OutputRow:
    task = entry.row.task or question.task_type or default_task
    with suppress(ViError):  # a name that is none is in the row's error
        task = get_task(task).name
    row_id = None if entry.row.id is None else str(entry.row.id)
    facts = {"id": row_id, "source": entry.label, "task": task, "key": str(key)}
    if answer is None:
        assert error is not None
        prompt = entry.row.prompt if entry.row.prompt is not None else question.user_prompt
        return failed_row(facts, prompt, error)
    row = answered_row(facts, answer)
    if row["boxes"] is not None:
        row["width"], row["height"] = picture_size(entry.row.source, entry.policy) or (None, None)
    return row


def _finish(output: Output, ledger: Ledger, summary: Summary, ordered: bool) -> None:
    summary.num_stale, summary.num_gone = ledger.num_stale, ledger.num_gone
    summary.num_damaged = ledger.num_damaged
    output.finish(ledger.order(ordered=ordered), changed=summary.num_asked > 0)
