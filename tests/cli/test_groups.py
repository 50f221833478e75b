"""Options that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from vi.cli.commands import Commands
from vi.cli.groups import with_groups


@dataclass(frozen=True)
class Size:
    width: Annotated[int, typer.Option(help="So wide.")] = 3
    height: Annotated[int | None, typer.Option(help="So high.")] = None


@pytest.fixture
def called():
    """Call a command with these arguments; what it was given, or what it said was wrong."""
    seen = []
    app = typer.Typer(cls=Commands)
    app.callback()(lambda: None)

    @app.command()
    @with_groups
    def command(name: Annotated[str, typer.Argument()], size: Size, loud: Annotated[bool, typer.Option()] = False):
        """Say a name."""
        seen.append((name, size, loud))

    def call(*arguments):
        seen.clear()
        result = CliRunner().invoke(app, ["command", *arguments])
        return seen[0] if seen else result.output

    return call


def test_a_group_is_made_of_its_options(called):
    assert called("a") == ("a", Size(), False)
    assert called("a", "--loud", "--width", "5") == ("a", Size(width=5), True)
    assert called("a", "--height", "2") == ("a", Size(height=2), False)


def test_options_of_a_group_are_in_the_help_and_checked_like_any_other(called):
    text = called("--help")
    assert all(each in text for each in ("Say a name.", "So wide.", "So high.", "--loud"))
    assert "UsageError: Invalid value for '--width'" in called("a", "--width", "wide")
