"""Generation parameters written as text: one option, ``key=value`` pairs, a JSON object."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from vi.inference.errors import ConfigError
from vi.inference.generation_config import GenerationConfig, OptionSpec, option_specs


def read_value(spec: OptionSpec, text: str) -> Any:
    """What ``text`` means for the parameter: a number, a boolean, text, or None for ``none``.

    Text that means none of these stays text, for GenerationConfig to refuse with the rest of what is not allowed.
    """
    if spec.type is str:
        return text
    word = text.strip().lower()
    if word in ("none", "null"):
        return None
    if spec.type is bool:
        return {"true": True, "false": False}.get(word, text)
    for number in (int, float):
        try:
            return number(word)
        except ValueError:
            continue
    return text


def read_json(text: str) -> dict[str, Any]:
    """The parameters that a JSON object sets. Raises ConfigError."""
    config = GenerationConfig.model_validate_json(text)
    return {name: getattr(config, name) for name in config.model_fields_set}


def read_pairs(texts: Iterable[str]) -> dict[str, Any]:
    """Parameters given as ``key=value``, as JSON objects, or both; a later one replaces an earlier one.

    Raises ConfigError for anything else; what the values may be is for GenerationConfig to say.
    """
    specs = {spec.name: spec for spec in option_specs()}
    values: dict[str, Any] = {}
    for text in texts:
        if text.lstrip().startswith("{"):
            values |= read_json(text)
            continue
        key, equals, value = text.partition("=")
        name = key.strip().lstrip("-").replace("-", "_")
        if not equals:
            raise ConfigError(
                f"{text!r} sets nothing.", """Write temperature=0.7 top_p=0.9, or '{"temperature": 0.7}'."""
            )
        spec = specs.get(name)
        if spec is not None and spec.repeated:
            values[name] = _texts(value)
        else:
            values[name] = read_value(spec, value) if spec else value
    return values


def _texts(value: str) -> Any:
    """A JSON list where it is one, else the text itself."""
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    return parsed if isinstance(parsed, list) else value
