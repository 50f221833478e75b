"""How clips and pictures are looked at: the options that say it, and whether a folder stands for its clips too."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import typer

from vi.inference.errors import ViError

Recursive = Annotated[bool, typer.Option("--recursive", help="Look into the folders of folders.")]
Fps = Annotated[float, typer.Option(metavar="N", help="Frames a second of clips.")]
MinPixels = Annotated[
    int | None, typer.Option(metavar="N", help="Width times height that a smaller picture is enlarged to.")
]
MaxPixels = Annotated[
    int | None, typer.Option(metavar="N", help="Width times height that a larger picture is shrunk to.")
]


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
