from __future__ import annotations

import dataclasses

import pytest

from vi.inference.engine.settings import EngineSettings
from vi.inference.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("max_batch", 0, "an integer from 1 to 1024"),
        ("max_batch", True, "an integer from 1 to 1024"),
        ("token_budget", 1.5, "an integer from 1 to 65536"),
        ("cache_bytes", 0, "an integer from 1 to"),
        ("feature_cache_bytes", -1, "an integer from 0 to"),
        ("max_batch", None, "an integer from 1 to 1024"),
        ("prefix_cache", 1, "True or False"),
        ("precision", "exct", "Did you mean exact"),
    ],
)
def test_a_value_that_is_not_allowed_is_told_with_what_is(name, value, allowed):
    with pytest.raises(ConfigError, match=f"{name}={value!r} is not allowed.*{allowed}"):
        EngineSettings(**{name: value})


def test_a_step_has_room_for_every_request_that_runs():
    with pytest.raises(ConfigError, match="token_budget=16 is less than max_batch=32"):
        EngineSettings(token_budget=16)
    assert EngineSettings(token_budget=16, max_batch=16).token_budget == 16


def test_every_setting_says_what_it_is_for():
    assert all(field.metadata["description"].endswith(".") for field in dataclasses.fields(EngineSettings))
