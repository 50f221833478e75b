"""Which model a command is about: the options and arguments that say it, the same in every command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

MODEL_NAME = typer.Argument(
    metavar="RUN_ID|PATH", help="A run of the store, a folder, or a hub name such as org/name.", show_default=False
)


@dataclass(frozen=True)
class Which:
    """Options of a command; see ``with_groups``. Without either it is the model in the package."""

    run_id: Annotated[str | None, typer.Option(metavar="RUN_ID", help="A run of the store (VI_MODEL_STORE).")] = None
    model: Annotated[
        str | None, typer.Option(metavar="PATH", help="A checkpoint: a folder, or a hub name such as org/name.")
    ] = None

    @property
    def arguments(self) -> dict[str, Any]:
        """What ``ViModel`` and ``find_run`` take."""
        return {"run_id": self.run_id, "pretrained_model_name_or_path": self.model}

    def __str__(self) -> str:
        return self.run_id or self.model or "the one in the package"
