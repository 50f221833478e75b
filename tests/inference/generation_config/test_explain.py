from __future__ import annotations

import pytest
from hypothesis import given
from tests.inference.generation_config.configs import given_values

from vi.inference.errors import ConfigError
from vi.inference.generation_config import GenerationConfig, explain, resolve
from vi.inference.generation_config.effects import ineffective


def effects(config) -> dict[str, str]:
    return {row.parameter: row.effect for row in explain(config)}


@given(given_values)
def test_every_parameter_is_explained_and_what_has_no_effect_is_said_so(call):
    rows = explain(call)
    assert [row.parameter for row in rows] == list(GenerationConfig.model_fields)
    resolved = resolve(call)
    silent = {row.parameter for row in rows if row.effect.startswith("No effect")} - {"do_sample"}
    assert silent == set(ineffective(GenerationConfig(**call), resolved.origins | dict.fromkeys(call, "call")))


def test_a_lone_temperature_is_explained_as_ignored_and_why():
    assert effects({"temperature": 0.7})["temperature"] == (
        "No effect: decoding is greedy because of do_sample=False (default)."
    )


def test_a_sampling_configuration_is_explained_in_its_numbers():
    said = effects({"do_sample": True, "temperature": 1.5, "top_p": 0.9, "top_k": 20, "seed": -1, "logprobs": 3})
    assert "unpredictable" in said["temperature"]
    assert "90 %" in said["top_p"]
    assert "20 likeliest" in said["top_k"]
    assert "fresh seed" in said["seed"]
    assert "3 likeliest alternatives" in said["logprobs"]


def test_explaining_draws_no_seed():
    (row,) = (row for row in explain({"seed": -1, "do_sample": True}) if row.parameter == "seed")
    assert (row.value, row.origin) == (-1, "call")


def test_what_was_resolved_can_be_explained_with_its_origins():
    rows = {row.parameter: row for row in explain(resolve("artistic", model={"seed": -1}, cot=True))}
    assert rows["temperature"].origin == "preset:artistic"
    assert rows["seed"].origin == "drawn"
    assert f"seed={rows['seed'].value}" in rows["seed"].effect


def test_do_sample_beside_temperature_zero_is_explained():
    said = effects({"do_sample": True, "temperature": 0.0})
    assert "temperature=0.0 (call)" in said["do_sample"]
    assert said["temperature"].startswith("Greedy")


def test_a_wrong_value_is_an_error():
    with pytest.raises(ConfigError, match="temperature"):
        explain({"temprature": 1})
