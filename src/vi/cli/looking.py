"""How clips and pictures are looked at: the options that say it, and whether a folder stands for its clips too."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from vi.inference.errors import ViError


@dataclass(frozen=True)
class Looking:
    """Options of a command; see ``with_groups``."""

    recursive: Annotated[bool, typer.Option("--recursive", help="Look into the folders of folders.")] = False
    fps: Annotated[float, typer.Option(metavar="N", help="Frames a second of clips.")] = 4.0
    min_pixels: Annotated[
        int | None, typer.Option(metavar="N", help="Width times height that a smaller picture is enlarged to.")
    ] = None
    max_pixels: Annotated[
        int | None, typer.Option(metavar="N", help="Width times height that a larger picture is shrunk to.")
    ] = None

    @property
    def options(self) -> dict[str, Any]:
        """What a call takes of them."""
        return {"fps": self.fps, "min_pixels": self.min_pixels, "max_pixels": self.max_pixels}


def lists_clips(task: str | None, which: dict[str, Any]) -> bool:
    """Whether folders and patterns stand for their clips too, as the task, or else the model's own, is about clips.

    which: the arguments of ``find_run``. False where there is no such model: to load it will say so.
    """
    from vi.inference.call import is_about_clips
    from vi.inference.runs import find_run

    if task is not None:
        return is_about_clips(task)
    with suppress(ViError):
        return is_about_clips(find_run(**which, weights=False).record.task_type or "")
    return False
