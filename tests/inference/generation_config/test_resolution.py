from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from tests.inference.generation_config.configs import given_values

from vi.inference.errors import ConfigError
from vi.inference.generation_config import GenerationConfig, Setting, resolve


@given(call=given_values, model=given_values, run=given_values)
def test_each_value_comes_from_the_first_that_set_it(call, model, run):
    resolved = resolve(call, model, run)
    levels = {"call": call, "model": model, "run": run, "default": {}}
    for name, field in GenerationConfig.model_fields.items():
        level = next((level for level, values in levels.items() if name in values), "default")
        expected = levels[level].get(name, field.default)
        if name == "seed" and expected == -1:
            assert resolved.origins[name] == "drawn"
        else:
            assert resolved.origins[name] == level
            given_value = getattr(resolved.config, name)
            assert (list(given_value) if name == "stop_strings" else given_value) == (
                list(expected) if name == "stop_strings" else expected
            )
    assert resolved.config.seed >= 0
    assert resolved.config.model_fields_set == set(GenerationConfig.model_fields)


@given(call=given_values)
def test_a_dict_and_an_instance_resolve_alike(call):
    call = {"seed": 0} | call
    if call["seed"] != -1:
        assert resolve(call) == resolve(GenerationConfig(**call))


@given(call=given_values, cot=st.booleans())
def test_what_was_resolved_resolves_to_itself(call, cot):
    first = resolve(call, cot=cot)
    assert resolve(first.config, cot=cot).config == first.config


def test_an_explicit_default_beats_a_lower_level():
    assert resolve({"temperature": 1.0}, model={"temperature": 0.3}).config.temperature == 1.0
    assert resolve({"top_k": None}, model={"top_k": 3}).config.top_k is None


def test_a_preset_is_the_origin_of_what_it_sets():
    resolved = resolve(GenerationConfig.preset("detailed", seed=7), run={"top_k": 9})
    assert resolved.origins["temperature"] == "preset:detailed"
    assert resolved.origins["seed"] == "call"
    assert resolved.origins["top_k"] == "run"
    assert resolve(model="detailed").origins["temperature"] == "preset:detailed"


def test_a_bad_value_of_the_run_says_where_it_stands():
    with pytest.raises(ConfigError, match=r"In the run's own generation config: top_p=7 is out of range"):
        resolve(run={"top_p": 7})


def test_seed_minus_one_draws_a_fresh_seed_without_touching_a_global_generator():
    random.seed(0)
    np.random.seed(0)
    states = random.getstate(), np.random.get_state()[1].tolist()
    seeds = {resolve({"seed": -1}).config.seed for _ in range(50)}
    assert len(seeds) == 50
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states


class TestCot:
    @pytest.mark.parametrize("call", [None, {}, {"temperature": 0.5}, GenerationConfig(seed=1), "object-list"])
    def test_raises_the_cap_where_the_call_sets_none(self, call):
        resolved = resolve(call, cot=True)
        assert resolved.config.max_new_tokens == 4096
        assert resolved.origins["max_new_tokens"] == "cot"

    @pytest.mark.parametrize("call", [{"max_new_tokens": 99}, GenerationConfig(max_new_tokens=99)])
    def test_leaves_an_explicit_cap(self, call):
        assert resolve(call, cot=True).config.max_new_tokens == 99

    def test_a_preset_counts_by_what_it_sets(self):
        assert resolve("detailed", cot=True).config.max_new_tokens == 512

    def test_raising_the_models_own_cap_is_said(self):
        resolved = resolve(model={"max_new_tokens": 100}, cot=True)
        assert resolved.config.max_new_tokens == 4096
        assert resolved.warnings == (
            "max_new_tokens raised from 100 (model) to 4096 for chain-of-thought. Set it in the call to keep it.",
        )
        assert resolve(run={"max_new_tokens": 100}, cot=True).warnings == ()


def test_lowering_the_cap_is_a_new_configuration_that_says_so():
    before = resolve({"max_new_tokens": 500})
    after = before.lower_max_new_tokens(20, "the model's context of 64 tokens holds 44 of prompt")
    assert (after.config.max_new_tokens, after.origins["max_new_tokens"]) == (20, "lowered")
    assert after.warnings == (
        "max_new_tokens lowered from 500 to 20: the model's context of 64 tokens holds 44 of prompt.",
    )
    assert (before.config.max_new_tokens, before.warnings) == (500, ())
    assert before.lower_max_new_tokens(500, "fits") is before
    with pytest.raises(ConfigError):
        before.lower_max_new_tokens(0, "nothing is left")


@given(given_values)
def test_the_echo_survives_json_with_its_types(call):
    echo = resolve(call).echo()
    adapter = TypeAdapter(dict[str, Setting])
    again = adapter.validate_json(adapter.dump_json(echo))
    assert again == echo
    assert list(again) == list(GenerationConfig.model_fields)
    for name, setting in echo.items():
        assert type(again[name].value) is type(setting.value)
