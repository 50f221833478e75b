"""``vi-infer inspect``: what a model is, without loading its weights."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from vi.cli.which import MODEL_NAME


def inspect(
    name: Annotated[str | None, MODEL_NAME] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a model is: architecture, size, tasks. Its weights are not loaded.

    \b
    vi-infer inspect                      the model that ships with the package
    vi-infer inspect my-run --json
    vi-infer inspect ./checkpoints/qwen
    """
    from vi.inference.model import ViModel

    info = ViModel.inspect(**model_named(name))
    typer.echo(info.model_dump_json(indent=2) if as_json else str(info))


def model_named(name: str | None) -> dict[str, Any]:
    """ViModel's arguments for a run id, the folder of a stored run, the folder of a checkpoint, or a hub name."""
    if name is None:
        return {}
    folder = Path(name).expanduser()
    if (folder / "model" / "config.json").is_file():
        folder = folder.resolve()
        return {"run_id": folder.name, "save_path": folder.parent}
    if folder.is_dir() or "/" in name or os.sep in name:
        return {"pretrained_model_name_or_path": name}
    return {"run_id": name}
