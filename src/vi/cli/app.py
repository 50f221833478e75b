"""The commands of ``vi-infer``."""

from __future__ import annotations

from typing import Annotated

import typer

from vi import __version__
from vi.cli.batch import batch
from vi.cli.commands import Commands
from vi.cli.config import app as config
from vi.cli.convert import convert
from vi.cli.demo import demo
from vi.cli.inspect import inspect
from vi.cli.predict import predict
from vi.cli.serve import serve

app = typer.Typer(
    cls=Commands,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(predict)
app.command()(batch)
app.command()(serve)
app.command()(demo)
app.command()(inspect)
app.command()(convert)
app.add_typer(config, name="config")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vi-infer {__version__}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Ask a vision-language model about pictures, and control how every token of its answers is chosen.

    \b
    vi-infer demo                    what the model in the package says
    vi-infer predict bench.png -p "How many parts are there?"
    vi-infer predict bench.png --task phrase-grounding --save-image boxes.png
    vi-infer batch shots/ -o answers.jsonl -p "A caption"
    vi-infer serve                   the same over HTTP, and a page to try it
    vi-infer config                  every generation parameter and preset

    \b
    Exit codes: 0 all answered
      2 bad input: an option, a prompt, a picture or a model that cannot be used
      1 an inference failed, a source was out of reach, or some of several failed
      130 interrupted
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
