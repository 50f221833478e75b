from __future__ import annotations

import pytest
from hypothesis import given
from tests.inference.generation_config.configs import given_values

from vi.inference.generation_config import GenerationConfig, resolve
from vi.inference.generation_config.effects import greedy_causes, ineffective


def ignored(call=None, model=None, run=None) -> tuple[str, ...]:
    resolved = resolve(call, model, run)
    return ineffective(resolved.config, resolved.origins)


@pytest.mark.parametrize(
    ("call", "names"),
    [
        ({"temperature": 0.7}, ("temperature",)),
        ({"temperature": 0.7, "top_p": 0.9, "top_k": 5}, ("temperature", "top_p", "top_k")),
        ({"temperature": 0.7, "do_sample": False}, ("temperature",)),
        ({"temperature": 0.0, "do_sample": True, "top_p": 0.9}, ("top_p",)),
        ({"do_sample": True, "top_k": 1, "temperature": 1.5}, ("temperature",)),
        ({"do_sample": True, "top_p": 0.0, "temperature": 1.5}, ("temperature",)),
        ({"seed": 42}, ("seed",)),
    ],
)
def test_values_without_effect_are_named(call, names):
    assert ignored(call) == names
    (text,) = resolve(call).warnings
    assert all(f"{name}={call[name]}" in text for name in names)


@pytest.mark.parametrize(
    "call",
    [
        None,
        {"do_sample": False},
        {"temperature": 0.0},
        {"temperature": 0.0, "do_sample": True},
        {"temperature": 0.0, "do_sample": False, "seed": 42},
        {"top_p": 1.0, "top_k": None},
        {"repetition_penalty": 1.5, "stop_strings": "x", "logprobs": 3},
        {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "top_k": 5, "seed": 3},
    ],
)
def test_what_happens_as_asked_is_not_warned_about(call):
    assert resolve(call).warnings == ()


def test_the_warning_says_why_and_what_to_do():
    assert resolve({"temperature": 0.7}).warnings == (
        "temperature=0.7 has no effect: decoding is greedy because of do_sample=False (default). "
        "To sample, set do_sample=True.",
    )
    assert resolve({"top_p": 0.9, "temperature": 0.0}, model={"do_sample": False}).warnings == (
        "top_p=0.9 has no effect: decoding is greedy because of do_sample=False (model) and temperature=0.0 (call). "
        "To sample, set do_sample=True and temperature above 0.",
    )


def test_a_random_seed_that_changes_nothing_is_named():
    assert "seed=-1 has no effect" in resolve({"seed": -1, "do_sample": False}).warnings[0]


def test_values_of_the_model_count_as_the_callers_and_values_of_the_run_do_not():
    assert ignored(model={"temperature": 0.7}) == ("temperature",)
    assert ignored(run={"temperature": 0.7, "seed": 3}) == ()
    assert ignored({"do_sample": False}, model="detailed") == ("temperature", "top_p")


def test_the_same_cause_with_other_values_is_the_same_cause():
    (warm,), (hot,) = resolve({"temperature": 0.7}).notices, resolve({"temperature": 1.7}).notices
    (both,) = resolve({"temperature": 0.7, "top_p": 0.3}).notices
    assert warm.cause == hot.cause != both.cause


@given(given_values)
def test_a_value_without_effect_was_set_and_decoding_is_greedy(call):
    resolved = resolve(call)
    names = ignored(call)
    assert set(names) <= set(call)
    assert not names or greedy_causes(resolved.config)
    assert not set(names) & set(greedy_causes(resolved.config))


def test_greedy_causes_are_the_values_that_leave_one_token():
    assert greedy_causes(GenerationConfig()) == ("do_sample",)
    assert greedy_causes(GenerationConfig(do_sample=True)) == ()
    assert greedy_causes(GenerationConfig(do_sample=True, temperature=-0.0)) == ("temperature",)
