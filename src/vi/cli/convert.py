"""``vi-infer convert``: a checkpoint as it runs without PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vi.cli.faults import say
from vi.cli.inspect import model_named
from vi.cli.which import MODEL_NAME


def convert(
    name: Annotated[str, MODEL_NAME],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Where the bundle goes; beside the checkpoint unless said."
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="f16|f32|int8|int4",
            help="How the weights are stored; f16 unless said, f32 where the checkpoint is. int8 and int4 need the"
            " extra compress.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Turn a checkpoint into a bundle, which runs on any CPU and needs neither torch nor transformers.

    \b
    vi-infer convert ./checkpoints/qwen -o ./bundles/qwen
    vi-infer predict bench.png -p "What is this?" --model ./bundles/qwen
    vi-infer convert org/name --weights int8 -o ./bundles/name
    vi-infer convert ./checkpoints/qwen        into the checkpoint's own folder

    Loading a checkpoint on a CPU does the same by itself the first time, into a cache.
    """
    from vi.inference.bundle.convert import convert as convert_checkpoint
    from vi.inference.runs.find import find_run

    files = find_run(**model_named(name))
    bundle = convert_checkpoint(files, output or files.model_path, weights=weights, show_progress=True)
    size = sum(path.stat().st_size for path in bundle.folder.iterdir() if path.is_file())
    say(f"{bundle.facts.family}, {bundle.facts.weights} weights, {size / 1e6:,.1f} MB")
    typer.echo(bundle.folder)
