"""Every generation parameter as an option."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner

from vi.cli.commands import Commands
from vi.cli.options import with_generation_options
from vi.inference import GenerationConfig
from vi.inference.generation_config import PRESETS, option_specs

# text on the command line -> value, one per parameter: a new parameter fails the test below until it stands here
WRITTEN = {
    "max_new_tokens": (["--max-new-tokens", "77"], 77),
    "temperature": (["--temperature", "0.7"], 0.7),
    "top_p": (["--top-p", "0.9"], 0.9),
    "top_k": (["--top-k", "none"], None),
    "do_sample": (["--do-sample"], True),
    "repetition_penalty": (["--repetition-penalty", "1"], 1.0),
    "seed": (["--seed", "-1"], -1),
    "stop_strings": (["--stop-strings", "12", "--stop-strings", "a b"], ("12", "a b")),
    "logprobs": (["--logprobs", "0"], 0),
    "loop_detection": (["--no-loop-detection"], False),
}


@pytest.fixture
def configured():
    """The configuration that a command with these options is called with."""
    seen: list[GenerationConfig] = []
    app = typer.Typer(cls=Commands)
    app.callback()(lambda: None)

    @app.command()
    @with_generation_options
    def command(configure: Callable[[], GenerationConfig]) -> None:
        seen.append(configure())

    def run(*arguments: str) -> GenerationConfig | str:
        seen.clear()
        result = CliRunner().invoke(app, ["command", *arguments])
        return seen[0] if seen else result.stderr

    return run


def test_there_is_an_option_for_each_parameter_in_the_help(vi_infer):
    text = vi_infer("predict", "--help").stdout
    assert all(spec.flag in text for spec in option_specs())


def test_nothing_given_sets_nothing(configured):
    assert configured().model_fields_set == set()


@pytest.mark.parametrize("name", GenerationConfig.model_fields)
def test_an_option_sets_its_parameter_and_no_other(configured, name):
    written, value = WRITTEN[name]
    config = configured(*written)
    assert config == GenerationConfig(**{name: value})
    assert config.model_fields_set == {name}


@pytest.mark.parametrize("spec", [spec for spec in option_specs() if spec.maximum is not None], ids=lambda s: s.name)
def test_bounds_are_those_of_the_parameter(configured, spec):
    assert isinstance(configured(spec.flag, str(spec.minimum)), GenerationConfig)
    assert isinstance(configured(spec.flag, str(spec.maximum)), GenerationConfig)
    assert f"{spec.name}=" in configured(spec.flag, str(spec.maximum + 1))
    assert f"{spec.name}='hot' is a string" in configured(spec.flag, "hot")
    assert f"{spec.name}=nan is" in configured(spec.flag, "nan")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_preset(configured, name):
    assert configured("--preset", name) == GenerationConfig.preset(name)


def test_an_option_wins_over_json_and_json_over_the_preset(configured):
    config = configured("--preset", "detailed", "--config", '{"top_p": 0.5, "seed": 3}', "--seed", "9")
    assert config == GenerationConfig.preset("detailed", top_p=0.5, seed=9)
    assert config.origins("call")["temperature"] == "preset:detailed"
    assert config.origins("call")["top_p"] == "call"


def test_no_do_sample_turns_a_presets_sampling_off(configured):
    assert configured("--preset", "creative", "--no-do-sample").do_sample is False


def test_the_nearest_name_is_offered(configured):
    assert "Did you mean detailed?" in configured("--preset", "detaild")
    assert "Did you mean temperature?" in configured("--config", '{"temprature": 1}')


@pytest.mark.parametrize("text", ["{", "[1]", '"detailed"', "null"])
def test_json_that_is_no_object_of_parameters_is_refused(configured, text):
    assert configured("--config", text).startswith("ConfigError: The generation config cannot be read")
