"""Answers that are not JSON: a text that an expression matches, or one of some texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vi.inference.errors import ConfigError


@dataclass(frozen=True)
class Regex:
    """A text that the whole of ``pattern`` matches, in the notation of Rust's ``regex`` (no lookaround, no references).

    Raises SchemaError for what is not such an expression.
    """

    pattern: str

    def __post_init__(self) -> None:
        from vi.inference.structured.grammar import regex_grammar  # as it imports llguidance

        regex_grammar(self.pattern)


@dataclass(frozen=True, init=False)
class Choices:
    """Exactly one of some texts, as it stands: ``Choices(["yes", "no"])``.

    Raises ConfigError where there is none, where one is empty or not text, or stands there twice.
    """

    options: tuple[str, ...]

    def __init__(self, options: Iterable[str]) -> None:
        if isinstance(options, (str, bytes)) or not isinstance(options, Iterable):
            raise ConfigError(f"Choices({options!r}) is not a list of texts.", 'Pass a list: Choices(["yes", "no"]).')
        given = tuple(options)
        if not given:
            raise ConfigError("Choices([]) has no option.", "Pass at least one text.")
        for number, option in enumerate(given):
            if not isinstance(option, str) or not option:
                raise ConfigError(f"Option {number} of Choices is {option!r}.", "Each is a text, and not empty.")
            if option in given[:number]:
                raise ConfigError(f"Choices has the option {option!r} twice.", "Leave one out.")
        object.__setattr__(self, "options", given)
