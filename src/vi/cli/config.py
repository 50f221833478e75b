"""``vi-infer config``: the generation parameters, the presets, and what given values would do."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from vi.cli.tables import print_table
from vi.cli.values import read_pairs
from vi.inference.generation_config import (
    PRESETS,
    Explanation,
    GenerationConfig,
    ParameterRow,
    explain,
    option_specs,
    parameter_table,
)

app = typer.Typer(invoke_without_command=True, rich_markup_mode="rich")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]


@app.callback()
def config(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every generation parameter with its range and default, and the presets; explain what values would do.

    \b
    vi-infer config
    vi-infer config explain temperature=0.7 top_p=0.9
    """
    if context.invoked_subcommand is not None:
        return
    if as_json:
        typer.echo(json.dumps({"parameters": _parameters(), "presets": _presets()}, indent=2))
        return
    parameters = [(row.name, _takes(row), row.default, row.description) for row in parameter_table()]
    print_table("Parameters", ("Name", "Takes", "Default", "What it does"), parameters)
    rows = [(name, preset.description, _settings(preset.values)) for name, preset in PRESETS.items()]
    print_table("Presets", ("Name", "For", "Sets"), rows)


@app.command("explain")
def explain_values(
    values: Annotated[list[str] | None, typer.Argument(metavar="JSON|KEY=VALUE", help="The values to explain.")] = None,
    preset: Annotated[str | None, typer.Option(metavar="NAME", help="Start from this preset.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say what each value would do, what would be ignored, and why. Loads no model.

    \b
    vi-infer config explain '{"temperature": 0.7}'
    vi-infer config explain do_sample=true temperature=0.7 top_p=0.9
    vi-infer config explain --preset detailed seed=7
    """
    given = read_pairs(values or [])
    rows = explain(GenerationConfig(**given) if preset is None else GenerationConfig.preset(preset, **given))
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=2))
        return
    untouched = frozenset(index for index, row in enumerate(rows) if row.origin == "default")
    print_table("What these values do", ("Name", "Value", "Set by", "Effect"), [_cells(row) for row in rows],
                dim=untouched)  # fmt: skip


def _cells(row: Explanation) -> tuple[str, str, str, str]:
    return row.parameter, _shown(row.value), row.origin, row.effect


def _takes(row: ParameterRow) -> str:
    return f"{row.type.removesuffix(' or None')}: {row.range}"


def _shown(value: Any) -> str:
    return ", ".join(map(repr, value)) or "none" if isinstance(value, tuple) else str(value)


def _settings(values: Any) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())


def _parameters() -> list[dict[str, Any]]:
    return [
        row._asdict() | {"default": spec.default, "minimum": spec.minimum, "maximum": spec.maximum, "option": spec.flag}
        for row, spec in zip(parameter_table(), option_specs(), strict=True)
    ]


def _presets() -> dict[str, Any]:
    return {
        name: {"description": preset.description, "values": dict(preset.values)} for name, preset in PRESETS.items()
    }
