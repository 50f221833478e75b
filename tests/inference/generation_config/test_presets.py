from __future__ import annotations

import pytest

from vi.inference.generation_config import PRESETS, GenerationConfig, resolve
from vi.inference.generation_config.effects import greedy_causes

# The document's use-case table: temperature, top_p, max_new_tokens.
USE_CASES = {
    "quality-inspection": (0.1, 0.9, 256),
    "detailed": (0.5, 0.95, 512),
    "creative": (0.8, 1.0, 1024),
    "deterministic": (0.0, 1.0, 256),
}

# The document's common configurations and parameter examples.
COMMON = {
    "short-caption": {"max_new_tokens": 50, "temperature": 0.3, "do_sample": True},
    "detailed-description": {"max_new_tokens": 512, "temperature": 0.7, "top_p": 0.95, "do_sample": True},
    "object-list": {"temperature": 0.0, "do_sample": False, "seed": 42},
    "artistic": {
        "max_new_tokens": 300,
        "temperature": 0.9,
        "top_p": 0.95,
        "do_sample": True,
        "repetition_penalty": 1.2,
    },
    "focused": {"top_p": 0.8, "top_k": 10, "do_sample": True},
    "balanced": {"temperature": 0.7, "top_p": 0.95, "top_k": 50, "do_sample": True},
    "wide": {"top_p": 1.0, "top_k": 100, "do_sample": True},
}


@pytest.mark.parametrize("name", USE_CASES)
def test_use_cases_have_the_documented_values(name):
    config = GenerationConfig.preset(name)
    assert (config.temperature, config.top_p, config.max_new_tokens) == USE_CASES[name]


@pytest.mark.parametrize("name", COMMON)
def test_common_configurations_are_the_documented_ones(name):
    assert dict(PRESETS[name].values) == COMMON[name]


def test_there_are_no_other_presets():
    assert set(PRESETS) == set(USE_CASES) | set(COMMON)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_samples_exactly_if_its_temperature_is_above_zero_and_never_warns_of_itself(name):
    config = GenerationConfig.preset(name)
    assert (greedy_causes(config) == ()) == (config.temperature > 0)
    assert resolve(name).warnings == ()
