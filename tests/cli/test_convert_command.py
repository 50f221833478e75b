"""``vi-infer convert``."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from vi.cli.commands import Commands
from vi.cli.convert import convert
from vi.inference.bundle.layout import read_bundle


@pytest.fixture
def vi_convert():
    """Run ``vi-infer convert`` with these arguments; the result has exit_code, stdout, stderr."""
    app = typer.Typer(cls=Commands)
    app.command()(convert)
    app.callback()(lambda: None)
    return lambda *arguments: CliRunner().invoke(app, ["convert", *map(str, arguments)], prog_name="vi-infer")


@pytest.mark.slow
def test_a_checkpoint_becomes_a_bundle_where_it_was_asked_for(vi_convert, tiny_checkpoint, tmp_path):
    result = vi_convert(tiny_checkpoint, "-o", tmp_path / "bundle", "--weights", "f16")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'bundle'}\n"
    assert "qwen2_5_vl, f16 weights" in result.stderr
    assert read_bundle(tmp_path / "bundle", verify=True).facts.weights == "f16"


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (("--weights", "int9"), "ConfigError: weights='int9' is not a way to store them."),
        (("-o", "."), "LoadError: "),
    ],
)
def test_what_is_not_allowed_is_one_line_and_bad_input(
    vi_convert, tiny_checkpoint, tmp_path, monkeypatch, option, reason
):
    (tmp_path / "thesis.txt").write_text("years of work")
    monkeypatch.chdir(tmp_path)
    result = vi_convert(tiny_checkpoint, *option)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(reason)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["thesis.txt"]
