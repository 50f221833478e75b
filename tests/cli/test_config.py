"""``vi-infer config`` and ``vi-infer config explain``."""

from __future__ import annotations

import json

import pytest

from vi.inference import GenerationConfig
from vi.inference.generation_config import PRESETS, explain, parameter_table


def test_every_parameter_and_preset_is_listed_in_plain_text(vi_infer):
    lines = vi_infer("config").stdout.splitlines()
    for row in parameter_table():
        (line,) = (line for line in lines if line.startswith(f"{row.name} "))
        assert row.range in line
        assert row.default in line
        assert line.endswith(row.description)
    for name, preset in PRESETS.items():
        assert any(line.startswith(f"{name} ") and preset.description in line for line in lines)


def test_json_has_the_typed_defaults_and_the_presets(vi_infer):
    told = json.loads(vi_infer("config", "--json").stdout)
    defaults = {row["name"]: row["default"] for row in told["parameters"]}
    assert defaults == json.loads(GenerationConfig().model_dump_json())
    assert {name: preset["values"] for name, preset in told["presets"].items()} == {
        name: dict(preset.values) for name, preset in PRESETS.items()
    }


@pytest.mark.parametrize("arguments", [['{"temperature": 0.7}'], ["temperature=0.7"]])
def test_explain_says_what_is_ignored_and_why(vi_infer, arguments):
    result = vi_infer("config", "explain", *arguments)
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("temperature"))
    assert line.split(maxsplit=3)[1:] == [
        "0.7",
        "call",
        "No effect: decoding is greedy because of do_sample=False (default).",
    ]


def test_explain_json_is_what_python_explains(vi_infer):
    result = vi_infer("config", "explain", "--preset", "detailed", "seed=7", "--json")
    expected = [row._asdict() for row in explain(GenerationConfig.preset("detailed", seed=7))]
    assert json.loads(result.stdout) == json.loads(json.dumps(expected))


@pytest.mark.parametrize("arguments", [["temperature=3"], ["--preset", "nope"], ["temprature=1"], ["{"], ["hot"]])
def test_what_cannot_be_explained_is_one_line_and_bad_input(vi_infer, arguments):
    result = vi_infer("config", "explain", *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("ConfigError: ")
