"""``vi-infer batch``: ask a model about thousands of pictures, into one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vi.cli.drawings import make_folder
from vi.cli.faults import exit_code, say
from vi.cli.groups import with_groups
from vi.cli.live_line import LiveLine
from vi.cli.looking import Looking, lists_clips
from vi.cli.options import with_generation_options
from vi.cli.tables import print_table
from vi.cli.which import Which
from vi.inference import errors
from vi.inference.errors import ViError
from vi.inference.generation_config import GenerationConfig
from vi.inference.task_types import TASKS, get_task

if TYPE_CHECKING:
    from vi.inference.batch.run import Question
    from vi.inference.batch.summary import Summary


@with_groups
@with_generation_options
def batch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A folder, a quoted glob, @list.txt with one source a line, or a table: CSV, JSONL or Parquet with "
            "source and, where wanted, prompt, task, id and generation_config.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Where to write: .jsonl, .csv or .parquet.")],
    looking: Looking,
    which: Which,
    prompt: Annotated[
        str | None, typer.Option("--prompt", "-p", metavar="PROMPT", help="What to ask where a row does not say it.")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help=f"One of {', '.join(TASKS)}, where a row does not say it; else the model's own."
        ),
    ] = None,
    cot: Annotated[bool, typer.Option("--cot", help="Let the model think before it answers.")] = False,
    unordered: Annotated[
        bool, typer.Option("--unordered", help="Write each answer when it is there, not in the order of the input.")
    ] = False,
    retry_errors: Annotated[bool, typer.Option("--retry-errors", help="Ask again what has an error in OUT.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="HTML", help="Write a page with pictures, answers, errors and costs.")
    ] = None,
    coco: Annotated[
        Path | None, typer.Option(metavar="JSON", help="Write the boxes of phrase-grounding in COCO's format.")
    ] = None,
    configure: Callable[[], GenerationConfig] = GenerationConfig,
) -> None:
    """Ask a model about every source of INPUT, and write one row each to OUT.

    \b
    vi-infer batch shots/ -o answers.jsonl -p "How many parts are there?"
    vi-infer batch questions.csv -o answers.csv --report answers.html
    vi-infer batch "**/*.png" -o a.parquet --task phrase-grounding --coco a.json

    \b
    Interrupted at any moment, the same command goes on where it stopped. A source
    that has changed is asked again; another model, prompt or configuration is
    refused. Rows are written in the order of INPUT.

    \b
    Exit codes: 0 all answered; 2 no answer because of bad input;
      1 an inference failed, some of several did, or OUT could not be written;
      130 interrupted
    """
    from vi.inference.batch.input import count_input, read_input
    from vi.inference.batch.output import check_output
    from vi.inference.batch.run import Question

    question = Question(prompt, configure(), task, cot, **looking.options)
    if task is not None:
        get_task(task)  # before the model loads
    check_output(out)
    for path in (report, coco):
        if path is not None:
            make_folder(path.parent)
    clips = lists_clips(task, which.arguments)
    rows = partial(read_input, source, looking.recursive, clips=clips)
    work = _Work(out, question, which, not unordered, retry_errors)
    summary = work.run(rows, count_input(source, looking.recursive, clips))
    _tell(summary)
    if coco is not None:
        _write_coco(coco, summary)
    if report is not None:
        _write_report(report, f"{source} → {out.name}", summary, work, rows())
    raise typer.Exit(exit_code(_instances(summary.errors), answered=summary.num_with_answer))


@dataclass(frozen=True)
class _Work:
    out: Path
    question: Question
    which: Which
    ordered: bool
    retry_errors: bool

    def run(self, rows: Callable[[], Iterator[Any]], total: int) -> Summary:
        from vi.inference.batch.keys import model_part
        from vi.inference.batch.run import run_batch
        from vi.inference.model_info import inspect
        from vi.inference.runs import find_run

        files = find_run(**self.which.arguments)
        with LiveLine(total, self.out) as line:
            return run_batch(
                _OnDemand(self.which),
                rows(),
                self.out,
                self.question,
                model_key=model_part(files.model_path, files.adapter_path),
                default_task=inspect(files).task_type,
                ordered=self.ordered,
                retry_errors=self.retry_errors,
                on_row=line.row,
            )


@dataclass(frozen=True)
class _OnDemand:
    """A model that is loaded when there is something to ask."""

    which: Which

    def iter(self, *arguments: Any, **options: Any) -> Iterator[Any]:
        from vi.inference.model import ViModel

        with ViModel(**self.which.arguments) as model:
            yield from model.iter(*arguments, **options)


def _tell(summary: Summary) -> None:
    failed = summary.num_rows - summary.num_with_answer
    types = ", ".join(f"{name} {count:,}" for name, count in summary.errors.most_common())
    rows = [
        ("answered", f"{summary.num_with_answer:,}"),
        ("failed", f"{failed:,} ({types})" if failed else "0"),
        ("there before", f"{summary.num_present:,}"),
        ("asked now", f"{summary.num_asked:,}"),
        ("tokens", f"{summary.prompt_tokens:,} read, {summary.completion_tokens:,} written"),
        ("time", _pace(summary)),
    ]
    optional = {
        "replaced": (summary.num_stale, "whose source or question changed, or that had an error"),
        "kept": (summary.num_gone, "whose source is no longer in the input"),
        "dropped": (summary.num_damaged, "that were damaged"),
    }
    rows += [(name, f"{count:,} {why}") for name, (count, why) in optional.items() if count]
    print_table(f"{summary.path}: {summary.num_rows:,} rows", ("", ""), rows)


def _pace(summary: Summary) -> str:
    if not summary.num_asked:
        return "nothing was left to ask"
    seconds = max(summary.seconds, 1e-9)
    return (
        f"{seconds:,.1f} s, {summary.num_asked / seconds:,.1f} pictures/s,"
        f" {summary.completion_tokens / seconds:,.0f} tokens/s"
    )


def _write_coco(path: Path, summary: Summary) -> None:
    from vi.inference.batch.coco import write_coco
    from vi.inference.batch.output import read_output

    boxes, unknown = write_coco(path, read_output(summary.path))
    left_out = f"; {unknown:,} rows left out, the size of whose picture is not known" if unknown else ""
    say(f"Written: {path} ({boxes:,} boxes{left_out})")


def _write_report(path: Path, title: str, summary: Summary, work: _Work, rows: Iterator[Any]) -> None:
    from vi.inference.batch.output import read_output
    from vi.inference.batch.report import write_report

    config = work.question.generation_config
    settings = ", ".join(f"{name}={getattr(config, name)!r}" for name in sorted(config.model_fields_set))
    facts = {
        "model": str(work.which),
        "prompt": work.question.user_prompt or "each row's own, or the task's",
        "settings": settings or "the defaults",
        "answered": f"{summary.num_with_answer:,}",
        "time": _pace(summary),
    }
    write_report(path, lambda: read_output(summary.path), rows, title=title, facts=facts)
    say(f"Written: {path}")


def _instances(types: Iterable[str]) -> list[ViError]:
    """An error of each type, for the exit code."""
    kinds = (getattr(errors, name, ViError) for name in types)
    return [kind("") if isinstance(kind, type) and issubclass(kind, ViError) else ViError("") for kind in kinds]
