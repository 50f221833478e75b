"""One command-line option per generation parameter, made from the parameters themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import Annotated, Any

import typer

from vi.cli.values import read_json, read_value
from vi.inference.generation_config import PRESETS, GenerationConfig, OptionSpec, option_specs, parameter_table

PANEL = "Generation"


def with_generation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``command``, whose ``configure`` becomes --preset, --config and one option per parameter.

    ``configure()`` gives the GenerationConfig, or raises ConfigError where the command can tell it its way. What
    was not given takes no part; an option replaces a value of --config, and that one of --preset.
    """
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name != "configure"]
    ours = [_preset_option(), _json_option(), *map(_option, option_specs())]

    @wraps(command)
    def with_options(**given: Any) -> Any:
        preset, text = given.pop("preset"), given.pop("config_json")
        texts = {spec: given.pop(spec.name) for spec in option_specs()}
        return command(**given, configure=partial(_config, preset, text, texts))

    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in [*own, *ours]]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def _config(preset: str | None, text: str | None, texts: dict[OptionSpec, Any]) -> GenerationConfig:
    values = {**(read_json(text) if text is not None else {}), **_given(texts)}
    return GenerationConfig(**values) if preset is None else GenerationConfig.preset(preset, **values)


def _given(texts: dict[OptionSpec, Any]) -> dict[str, Any]:
    return {
        spec.name: text if spec.repeated or spec.type is bool else read_value(spec, text)
        for spec, text in texts.items()
        if text is not None and text != []
    }


def _option(spec: OptionSpec) -> inspect.Parameter:
    if spec.type is bool:
        info = typer.Option(f"{spec.flag}/--no-{spec.flag[2:]}", help=spec.help, rich_help_panel=PANEL)
        return _parameter(spec.name, bool, info)
    if spec.repeated:
        info = typer.Option(spec.flag, metavar="TEXT", help=f"{spec.help} Repeatable.", rich_help_panel=PANEL)
        return _parameter(spec.name, list[str], info)
    # Taken as text: GenerationConfig alone knows and says what is allowed.
    row = {row.name: row for row in parameter_table()}[spec.name]
    help = f"{row.description} Takes {row.range}; default {row.default}."
    info = typer.Option(spec.flag, metavar=_metavar(spec), help=help, rich_help_panel=PANEL)
    return _parameter(spec.name, str, info)


def _metavar(spec: OptionSpec) -> str:
    return {int: "INTEGER", float: "NUMBER"}.get(spec.type, "TEXT")


def _preset_option() -> inspect.Parameter:
    names = ", ".join(PRESETS)
    info = typer.Option("--preset", metavar="NAME", help=f"Start from a preset: {names}.", rich_help_panel=PANEL)
    return _parameter("preset", str, info)


def _json_option() -> inspect.Parameter:
    info = typer.Option(
        "--config",
        metavar="JSON",
        help="""Several parameters at once: '{"temperature": 0.7}'. An option of its own wins over it.""",
        rich_help_panel=PANEL,
    )
    return _parameter("config_json", str, info)


def _parameter(name: str, kind: Any, info: Any) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, info]
    )
