"""What went wrong, told: one line on standard error, and the exit code for it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from vi.inference.errors import ConfigError, LoadError, PromptError, SchemaError, SourceError, ViError

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130

_BAD_INPUT = (ConfigError, PromptError, SchemaError, SourceError, LoadError)

# Hints are written for Python; what they name is spelled differently here.
_OPTIONS = {
    'user_prompt="…"': '-p "…"',
    "recursive=True": "--recursive",
    "Another store: save_path= or VI_MODEL_STORE": "Another store: set VI_MODEL_STORE",
    "run_id= or pretrained_model_name_or_path=": "--run-id or --model",
    "run_id and pretrained_model_name_or_path": "--run-id and --model",
    "Leave run_id out": "Leave --run-id out",
}


def exit_code(errors: Sequence[ViError], *, answered: int = 0) -> int:
    """0 where nothing failed; 2 where nothing was answered and every input has to change first; otherwise 1."""
    if not errors:
        return 0
    hopeless = all(isinstance(error, _BAD_INPUT) and not error.retryable for error in errors)
    return BAD_INPUT if hopeless and not answered else FAILED


def message(error: ViError) -> str:
    """The error's text on one line, options named as they are here."""
    text = " ".join(str(error).split())
    for python, option in _OPTIONS.items():
        text = text.replace(python, option)
    return text


def say(text: str, end: str = "\n") -> None:
    """One line on standard error."""
    print(text, file=sys.stderr, end=end, flush=True)


def say_error(error: ViError, label: str = "") -> None:
    """The error on standard error, after the source's ``label`` where its own text does not name it."""
    text = message(error)
    about = f"{label}: " if label and label not in text else ""
    say(f"{type(error).__name__}: {about}{text}")
