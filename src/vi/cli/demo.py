"""``vi-infer demo``: the model that ships with the package answers questions about the sample pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vi.cli.drawings import is_picture_name, make_folder, save
from vi.cli.faults import exit_code
from vi.inference.errors import ConfigError, ViError
from vi.inference.generation_config import GenerationConfig

if TYPE_CHECKING:
    from PIL.Image import Image

    from vi.inference.model import ViModel
    from vi.inference.task_types.response import PredictionResponse

CELL = 560  # width of a picture on the sheet


@dataclass(frozen=True)
class Ask:
    """One question about one sample picture, in one configuration (``preset``, and a seed where it samples)."""

    picture: str
    question: str
    preset: str
    task: str = "vqa"
    seed: int | None = None
    cot: bool = False

    @property
    def config(self) -> GenerationConfig:
        """What the call takes."""
        return GenerationConfig.preset(self.preset, **({} if self.seed is None else {"seed": self.seed}))

    def __str__(self) -> str:
        seed = f", seed {self.seed}" if self.seed is not None else ""
        return f"{self.preset}{seed}{', thinking first' if self.cot else ''}"


@dataclass(frozen=True)
class Told:
    """What became of an Ask: an answer or an error."""

    ask: Ask
    answer: PredictionResponse | None
    error: ViError | None


ASKS = (
    Ask("bearings", "How many bearings are there?", "deterministic"),
    Ask("bearings", "How many bearings are there?", "deterministic", cot=True),
    Ask("belt", "What color is the bearing?", "quality-inspection"),
    Ask("bolts", "Is there a red screw?", "deterministic"),
    Ask("paper", "What objects are visible?", "object-list"),
    Ask("wood", "Provide a brief caption", "short-caption", task="freeform"),
    *(Ask("parts", "Create an artistic description", "artistic", task="freeform", seed=seed) for seed in (1, 2, 3)),
    *(
        Ask(picture, "Locate all parts.", "deterministic", task="phrase-grounding")
        for picture in ("gears", "springs", "parts", "paper")
    ),
)


def demo(
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the pictures with boxes go.")] = Path("vi-demo.png"),
) -> None:
    """Let the model that ships with the package answer questions about its sample pictures.

    It asks in several generation configurations and draws the boxes it finds.

    \b
    vi-infer demo
    vi-infer demo --out boxes.png
    """
    if not is_picture_name(out):
        raise ConfigError(f"--out {out} does not end like a picture.", "Name it .png or .jpg.")
    make_folder(out.parent)
    from rich.console import Console

    from vi import workbench
    from vi.cli.demo_table import table
    from vi.inference.model import ViModel
    from vi.inference.progress import track

    with ViModel() as model:
        told = list(track(answers(model, ASKS, workbench.sample), len(ASKS), "Answering", True))
    console = Console(highlight=False)
    console.print(table(told, console.width))
    sheet = drawn(told, workbench.sample)
    if sheet is not None:
        save(sheet, out)
        console.print(f"Boxes drawn into {out}", markup=False, soft_wrap=True)
    errors = [each.error for each in told if each.error is not None]
    raise typer.Exit(exit_code(errors, answered=len(told) - len(errors)))


def answers(model: ViModel, asks: Sequence[Ask], find: Callable[[str], Path]) -> Iterator[Told]:
    """Ask one after the other. find: a picture's path by its name. Raises SourceError for a name that is none."""
    for ask in asks:
        answer, error = model(
            find(ask.picture), ask.question, generation_config=ask.config, task_type=ask.task, cot=ask.cot
        )
        yield Told(ask, answer, error)


def drawn(told: Sequence[Told], find: Callable[[str], Path]) -> Image | None:
    """The grounded answers on their pictures, on one sheet; None where there is none."""
    from vi.cli.sheet import contact_sheet
    from vi.inference.media.image import load_picture
    from vi.inference.media.sources import expand
    from vi.inference.task_types import PhraseGroundingResponse
    from vi.inference.utils.visualize import visualize_prediction

    cells = []
    for each in told:
        if isinstance(each.answer, PhraseGroundingResponse):
            picture = load_picture(expand(find(each.ask.picture)).items[0]).pixels
            scaled = picture.resize((CELL, round(picture.height * CELL / picture.width)))  # labels of one size
            cells.append(visualize_prediction(scaled, each.answer))
    return contact_sheet(cells) if cells else None
