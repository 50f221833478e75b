"""Which model a command is about: the options and arguments that say it, the same in every command."""

from __future__ import annotations

from typing import Annotated

import typer

RunId = Annotated[str | None, typer.Option(metavar="RUN_ID", help="A run of the store (VI_MODEL_STORE).")]
Checkpoint = Annotated[
    str | None, typer.Option(metavar="PATH", help="A checkpoint: a folder, or a hub name such as org/name.")
]
MODEL_NAME = typer.Argument(
    metavar="RUN_ID|PATH", help="A run of the store, a folder, or a hub name such as org/name.", show_default=False
)
