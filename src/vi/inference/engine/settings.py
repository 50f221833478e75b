"""How an engine shares its device among requests."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from vi.inference.errors import ConfigError


def _bounded(default: int, minimum: int, maximum: int, description: str) -> Any:
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum, "description": description})


def _switch(default: bool, description: str) -> Any:
    return field(default=default, metadata={"description": description})


@dataclass(frozen=True)
class EngineSettings:
    """None of these changes what a request answers, but for rounding where the precision is not exact.

    Raises ConfigError for a value that is not allowed; bounds and reasons stand on the fields (``field.metadata``).
    """

    max_batch: int = _bounded(
        32, 1, 1024, "Most requests that run at once. More give more tokens a second, and each request waits longer."
    )
    token_budget: int = _bounded(
        512,
        1,
        65536,
        "Most tokens computed in one step, max_batch at least. Prompts are read in such chunks while others decode:"
        " smaller makes those smoother, larger reads prompts faster and takes more memory.",
    )
    prefix_cache: bool = _switch(True, "Compute what prompts have in common once, pictures included.")
    feature_cache_bytes: int = _bounded(
        256 << 20, 0, 1 << 40, "Memory for features of the last pictures, so that a picture is encoded once; 0 is off."
    )
    exact: bool = _switch(False, "Sample every token, also where the grammar leaves no choice.")

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if "minimum" not in one.metadata:
                if not isinstance(value, bool):
                    raise ConfigError(f"{one.name}={value!r} is not allowed.", "It takes True or False.")
                continue
            least, most = one.metadata["minimum"], one.metadata["maximum"]
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise ConfigError(
                    f"{one.name}={value!r} is not allowed.", f"It takes an integer from {least} to {most}."
                )
        if self.token_budget < self.max_batch:
            raise ConfigError(
                f"token_budget={self.token_budget} is less than max_batch={self.max_batch}.",
                "Every running request computes at least one token a step.",
            )
