"""The parameters as tables and as command-line options, read from the fields."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from vi.inference.generation_config.config import GenerationConfig
from vi.inference.generation_config.parameter import Parameter
from vi.inference.generation_config.presets import PRESETS


class ParameterRow(NamedTuple):
    """One parameter in words."""

    name: str
    type: str
    range: str
    default: str
    description: str


class OptionSpec(NamedTuple):
    """What a command line needs for one option.

    ``type`` is int, float, bool or str; the bounds are inclusive. ``default`` is the documented one, for display:
    the option's own default must be "not given", since only values that were given take part in a merge.
    """

    name: str
    flag: str
    type: type
    minimum: float | None
    maximum: float | None
    default: Any
    repeated: bool
    help: str


def parameters() -> list[Parameter]:
    """Every parameter, in the order of the fields."""
    return [Parameter.of(name, field) for name, field in GenerationConfig.model_fields.items()]


def parameter_table() -> list[ParameterRow]:
    """Name, type, range, default and description of every parameter, as text."""
    return [ParameterRow(row.name, row.type_name, row.range, _default(row), row.description) for row in parameters()]


def option_specs() -> list[OptionSpec]:
    """One option per parameter: ``--max-new-tokens`` and so on."""
    return [
        OptionSpec(
            name=row.name,
            flag="--" + row.name.replace("_", "-"),
            type=row.type,
            minimum=row.minimum,
            maximum=row.maximum,
            default=row.default,
            repeated=row.repeated,
            help=f"{row.description} Default: {_default(row)}.",
        )
        for row in parameters()
    ]


def parameter_markdown() -> str:
    """The reference table of ``docs/generation-config.md``."""
    rows = [(f"`{row.name}`", row.type, row.range, row.default, row.description) for row in parameter_table()]
    return _markdown(("Name", "Type", "Range", "Default", "Description"), rows)


def preset_markdown() -> str:
    """The table of presets of ``docs/generation-config.md``."""
    rows = [
        (f"`{name}`", preset.description, ", ".join(f"`{field}={value}`" for field, value in preset.values.items()))
        for name, preset in PRESETS.items()
    ]
    return _markdown(("Preset", "For", "Sets"), rows)


def _default(parameter: Parameter) -> str:
    return "none" if parameter.repeated and not parameter.default else str(parameter.default)


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
