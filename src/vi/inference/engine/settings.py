"""How an engine runs a model and shares its device among requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from vi.inference.errors import ConfigError, did_you_mean


def _number(default: int | None, minimum: int, maximum: int, description: str) -> Any:
    return field(default=default, metadata={"range": (minimum, maximum), "description": description})


def _one_of(default: Any, values: tuple[Any, ...], description: str) -> Any:
    return field(default=default, metadata={"values": values, "description": description})


@dataclass(frozen=True)
class EngineSettings:
    """None of these changes what a request answers at precision ``exact``.

    Bounds and reasons stand on the fields (``field.metadata``). Raises ConfigError for a value that is not allowed.
    """

    max_batch: int = _number(
        32, 1, 1024, "Most requests that run at once. More give more tokens a second, and each request waits longer."
    )
    token_budget: int = _number(
        512,
        1,
        65536,
        "Most tokens computed in one step, max_batch at least. Prompts are read in such chunks while others decode:"
        " smaller makes those smoother, larger reads prompts faster and takes more memory.",
    )
    cache_bytes: int | None = _number(
        None,
        1,
        1 << 50,
        "Memory for the keys and values of all requests; None takes a share of what the device has free.",
    )
    prefix_cache: bool = _one_of(True, (True, False), "Compute what prompts have in common once, pictures included.")
    feature_cache_bytes: int = _number(
        256 << 20, 0, 1 << 40, "Memory for features of the last pictures, so that a picture is encoded once; 0 is off."
    )
    exact: bool = _one_of(False, (True, False), "Sample every token, also where the grammar leaves no choice.")
    precision: Literal["exact", "fast"] = _one_of(
        "exact", ("exact", "fast"), "Of a bundle: exact computes in float32, fast in bfloat16 where the CPU has it."
    )
    threads: int | None = _number(
        None,
        1,
        4096,
        "Of a bundle: CPU threads of a forward call; None takes all cores, and of a small model half of them, so that"
        " pictures are encoded on the others meanwhile.",
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if "values" in one.metadata:
                _check_choice(one.name, value, one.metadata["values"])
            elif value is not None or one.default is not None:
                _check_number(one.name, value, *one.metadata["range"])
        if self.token_budget < self.max_batch:
            raise ConfigError(
                f"token_budget={self.token_budget} is less than max_batch={self.max_batch}.",
                "Every running request computes at least one token a step.",
            )

    @classmethod
    def coerce(cls, value: EngineSettings | Mapping[str, Any] | None) -> EngineSettings:
        """Settings as they are, from a dict of some of them, or the defaults. Raises ConfigError."""
        if value is None or isinstance(value, EngineSettings):
            return value or cls()
        if not isinstance(value, Mapping):
            raise ConfigError(f"engine={value!r} is not allowed.", "It takes EngineSettings or a dict of them.")
        known = [one.name for one in fields(cls)]
        for name in value:
            if name not in known:
                hint = f"{did_you_mean(str(name), known)} There are: {', '.join(known)}.".lstrip()
                raise ConfigError(f"{name!r} is not a setting of the engine.", hint)
        return cls(**value)


def _check_choice(name: str, value: Any, values: tuple[Any, ...]) -> None:
    if type(value) is not type(values[0]) or value not in values:
        near = did_you_mean(value, values) if isinstance(value, str) and isinstance(values[0], str) else ""
        hint = f"{near} It takes {' or '.join(map(repr, values))}.".lstrip()
        raise ConfigError(f"{name}={value!r} is not allowed.", hint)


def _check_number(name: str, value: Any, minimum: int, maximum: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
        raise ConfigError(f"{name}={value!r} is not allowed.", f"It takes an integer from {minimum} to {maximum}.")
