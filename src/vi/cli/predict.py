"""``vi-infer predict``: ask a model about pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vi.cli.drawings import Drawings
from vi.cli.explain import Explanation
from vi.cli.faults import exit_code, say_error
from vi.cli.groups import with_groups
from vi.cli.looking import Looking, lists_clips
from vi.cli.options import with_generation_options
from vi.cli.report import Report
from vi.cli.which import Which
from vi.inference.errors import PromptError, ViError
from vi.inference.generation_config import GenerationConfig
from vi.inference.task_types import TASKS, get_task

if TYPE_CHECKING:
    from vi.inference.media.sources import SourceItem
    from vi.inference.model import ViModel
    from vi.inference.task_types.response import PredictionResponse


@with_groups
@with_generation_options
def predict(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE", help="Files, folders, http(s) URLs, data: URIs or base64.")
    ],
    looking: Looking,
    which: Which,
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", "-p", metavar="PROMPT", help="What to ask; repeat it for one prompt per source."),
    ] = None,
    task: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"One of {', '.join(TASKS)}; the model's own if not given.")
    ] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Show the model's text while it is written.")] = False,
    cot: Annotated[bool, typer.Option("--cot", help="Let the model think before it answers.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per source, nothing else.")] = False,
    save_image: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Draw boxes and text into this picture, or into this folder one per source."),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show how each token was chosen, as a table.")] = False,
    explain_html: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Show it as a page, with a bar per token and a picture of all.")
    ] = None,
    configure: Callable[[], GenerationConfig] = GenerationConfig,
) -> None:
    """Ask a model about pictures and clips. Without --run-id or --model it is the small one of the package.

    \b
    vi-infer predict bench.png -p "How many parts are there?"
    vi-infer predict bench.png --task phrase-grounding --save-image boxes.png
    vi-infer predict shots/ -p "What is visible?" --json > answers.jsonl
    vi-infer predict a.png b.png -p "A caption" --preset creative --seed 7
    vi-infer predict bench.png -p "Describe it" --do-sample --explain-html a.html
    vi-infer predict clip.mp4 -p "What happens?" --task video-freeform --fps 2

    Answers go to standard output, warnings and errors to standard error.

    \b
    Exit codes: 0 all answered; 2 no answer because of bad input;
      1 an inference failed, or some of several sources did; 130 interrupted
    """
    from vi.inference.media.sources import expand

    items = expand(sources, recursive=looking.recursive, clips=lists_clips(task, which.arguments)).items
    report = Report(as_json=as_json, several=len(items) > 1)
    try:
        explanation = Explanation(explain, explain_html)
        question = _Question(prompt or [], task, cot, explanation.config(configure()), looking)
        question.check(len(items))
        drawings = Drawings(save_image, items) if save_image is not None else None
        outcomes = _outcomes(items, question, which, stream, report)
        for index, (item, outcome) in enumerate(zip(items, outcomes, strict=True)):
            _tell(report, drawings, index, item, outcome, streamed=stream)
            explanation.add(report, item, outcome[0])
        explanation.write()
    except ViError as error:
        report.refuse(items, error)
        raise
    raise typer.Exit(exit_code(report.errors, answered=report.num_answered))


Outcome = tuple["PredictionResponse | None", ViError | None]


@dataclass(frozen=True)
class _Question:
    prompts: Sequence[str]  # none, one for all sources, or one per source
    task: str | None
    cot: bool
    config: GenerationConfig
    looking: Looking

    def check(self, num_sources: int) -> None:
        """Raises, before a model is loaded, ConfigError for the task, PromptError for too few prompts or too many."""
        task = None if self.task is None else get_task(self.task)
        if task is not None and len(self.prompts) < 2:
            task.user_prompt(self.prompt(0))
        if len(self.prompts) > 1 and len(self.prompts) != num_sources:
            raise PromptError(
                f"There are {len(self.prompts)} prompts for {num_sources} source{'' if num_sources == 1 else 's'}.",
                "Give one -p for all, or one per source.",
            )

    def prompt(self, index: int) -> str | None:
        """Of the source at that place; None is the task's own."""
        return self.prompts[index] if len(self.prompts) > 1 else next(iter(self.prompts), None)

    def options(self) -> dict[str, Any]:
        """The call's arguments for every source."""
        asking = {"generation_config": self.config, "task_type": self.task, "cot": self.cot}
        return {**asking, **self.looking.options}


def _tell(
    report: Report, drawings: Drawings | None, index: int, item: SourceItem, outcome: Outcome, *, streamed: bool
) -> None:
    answer, error = outcome
    if answer is None:
        assert error is not None
        report.failure(item, error)
        return
    report.answer(item, answer, streamed=streamed)
    if drawings is None:
        return
    try:
        drawings.draw(index, item, answer)
    except ViError as undrawn:  # the answer stands
        report.errors.append(undrawn)
        say_error(undrawn, item.label)


def _outcomes(
    items: Sequence[SourceItem], question: _Question, which: Which, stream: bool, report: Report
) -> Iterator[Outcome]:
    """(answer, None) or (None, error) per source, in order. Raises ViError for what is wrong with the whole call."""
    if all(item.error for item in items):  # no model is needed to say so
        yield from ((None, item.error) for item in items)
        return
    from vi.inference.model import ViModel

    with ViModel(**which.arguments) as model:
        if stream:
            for index, item in enumerate(items):
                yield _streamed(model, item, question.prompt(index), question.options(), report)
            return
        prompts = (question.prompt(index) for index in range(len(items)))
        with closing(model.iter(items, prompts, **question.options())) as answers:
            yield from ((answer, error) for _, answer, error in answers)


def _streamed(model: ViModel, item: SourceItem, prompt: str | None, options: dict[str, Any], report: Report) -> Outcome:
    if item.error is not None:
        return None, item.error
    try:
        with model(item.value, prompt, stream=True, **options) as pieces:
            for piece in pieces:
                report.piece(piece)
            report.end_of_pieces()
            return pieces.get_final_completion(), None
    except ViError as error:
        return None, error
