"""How commands end: usage errors, and the exit code of errors."""

from __future__ import annotations

import pytest

from vi.cli.faults import exit_code, message
from vi.inference import errors


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["predict", "a.png", "--temprature", "1"], "--temperature"),
        (["predict"], "Missing argument 'SOURCE"),
        (["predct"], "Did you mean 'predict'"),
        (["predict", "a.png", "-p"], "requires an argument"),
        (["--nonsense"], "--nonsense"),
        (["config", "expalin"], "Did you mean 'explain'"),
    ],
)
def test_a_usage_error_is_one_line_that_says_where_help_is(vi_infer, arguments, told):
    result = vi_infer(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("UsageError: ")
    assert told in result.stderr
    assert "--help)" in result.stderr


@pytest.mark.parametrize("command", [[], ["predict"], ["demo"], ["inspect"], ["config"], ["config", "explain"]])
def test_every_commands_help_has_an_example_of_it(vi_infer, command):
    result = vi_infer(*command, "--help")
    assert result.exit_code == 0
    assert any(line.strip().startswith(" ".join(["vi-infer", *command])) for line in result.stdout.splitlines())


def test_without_a_command_there_is_help(vi_infer):
    result = vi_infer()
    assert (result.exit_code, result.stderr) == (0, "")
    assert "predict" in result.stdout


BAD_INPUT = [
    errors.ConfigError("x"),
    errors.PromptError("x"),
    errors.SchemaError("x"),
    errors.SourceError("x"),
    errors.LoadError("x"),
]
FAILED = [errors.InferenceError("x"), errors.AnswerError("x"), errors.SourceUnreachable("x")]


@pytest.mark.parametrize("error", BAD_INPUT, ids=lambda error: type(error).__name__)
def test_bad_input_is_2_unless_something_was_answered(error):
    assert exit_code([error]) == 2
    assert exit_code([error], answered=1) == 1


@pytest.mark.parametrize("error", FAILED, ids=lambda error: type(error).__name__)
def test_what_may_work_when_tried_again_is_1(error):
    assert exit_code([error]) == 1
    assert exit_code([BAD_INPUT[0], error]) == 1


def test_no_error_is_0():
    assert exit_code([], answered=3) == 0


def test_an_error_is_one_line():
    assert message(errors.LoadError("first\n  second", "Pass recursive=True.")) == "first second Pass --recursive."
