"""How every command ends: its result, or one clear line on standard error and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import typer
from typer.core import TyperGroup

from vi.cli.faults import BAD_INPUT, FAILED, INTERRUPTED, exit_code, say, say_error
from vi.inference.errors import ViError

UsageError: Any = typer.BadParameter.__mro__[1]  # typer brings its own click, or uses click, by version


class Commands(TyperGroup):
    """All commands. A bad option, a ViError, Ctrl-C and a closed pipe end one without a traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command and exit with its code; with ``standalone_mode=False`` return or raise what it does."""
        run = partial(super().main, args, prog_name, complete_var, False, windows_expand_args, **extra)
        return sys.exit(_flushed(_exit_code(run))) if standalone_mode else run()


def _exit_code(run: Callable[[], Any]) -> int:
    """What ``run`` comes to, told where it is an error."""
    try:
        code = run()
    except UsageError as error:
        command = error.ctx.command_path if error.ctx else "vi-infer"
        say(f"UsageError: {error.format_message()} (see {command} --help)")
        return BAD_INPUT
    except ViError as error:
        say_error(error)
        return exit_code([error])
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        say("Interrupted.")
    return code if isinstance(code, int) else 0


def _flushed(code: int) -> int:
    """``code``, once what was printed is out; a reader that has gone away (``| head``) is no news to anyone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter flushes again at its end
        return FAILED
    return code
