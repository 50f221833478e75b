"""One family of exceptions. Each says what was wrong, what is allowed and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ViError(Exception):
    """Base of everything this package raises on purpose.

    message: what was wrong, with the value. hint: what to do about it, appended to the text.
    ``retryable`` says whether the same call may succeed when tried again.
    """

    retryable: bool = False

    def __init__(self, message: str, hint: str = "") -> None:
        self.message = message
        self.hint = hint
        super().__init__(f"{message} {hint}".rstrip())


class ConfigError(ViError, ValueError):
    """A generation parameter, or another argument of a call, that is not allowed."""


class PromptError(ViError, ValueError):
    """A prompt that is empty, of the wrong count, or longer than the model's context."""


class SourceError(ViError):
    """A picture or clip that cannot be found, fetched or decoded."""


class SourceUnreachable(SourceError):
    """A source behind a network that did not answer; trying again may help."""

    retryable = True


class LoadError(ViError):
    """A model that cannot be found or loaded."""


class SchemaError(ViError, ValueError):
    """A response format that cannot be enforced while decoding."""


class AnswerError(ViError):
    """An answer that the caller's own validation rejected; ``raw_output`` keeps the text."""

    def __init__(self, message: str, hint: str = "", raw_output: str = "") -> None:
        super().__init__(message, hint)
        self.raw_output = raw_output


class InferenceError(ViError):
    """A request that failed while the model ran; other requests go on."""


class Cancelled(InferenceError):
    """A request stopped by its caller before the answer was complete."""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """``Did you mean X?`` for the nearest of ``valid``, or an empty string where nothing is near."""
    near = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""
