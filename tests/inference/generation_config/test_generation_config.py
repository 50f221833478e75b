from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from tests.inference.generation_config.configs import given_values

from vi.inference.errors import ConfigError, ViError
from vi.inference.generation_config import PRESETS, GenerationConfig

# From the document's parameter table: field -> (default, lowest, highest).
DOCUMENTED = {
    "max_new_tokens": (1024, 1, 4096),
    "temperature": (1.0, 0.0, 2.0),
    "top_p": (1.0, 0.0, 1.0),
    "top_k": (50, 1, 100),
    "repetition_penalty": (1.05, 1.0, 2.0),
}


def message(**values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        GenerationConfig(**values)
    return str(caught.value)


def test_defaults_are_the_documented_ones():
    config = GenerationConfig()
    assert {name: getattr(config, name) for name in DOCUMENTED} == {name: row[0] for name, row in DOCUMENTED.items()}
    assert (config.do_sample, config.seed, config.stop_strings, config.logprobs) == (False, 0, (), None)


@pytest.mark.parametrize("name", DOCUMENTED)
def test_both_ends_of_a_documented_range_are_allowed_and_nothing_beyond(name):
    _, low, high = DOCUMENTED[name]
    assert getattr(GenerationConfig(**{name: low}), name) == low
    assert getattr(GenerationConfig(**{name: high}), name) == high
    step = 1 if isinstance(low, int) else 1e-9
    for beyond in (low - step, high + step):
        assert message(**{name: beyond}) == f"{name}={beyond} is out of range; it takes {allowed_range(name)}."


def allowed_range(name: str) -> str:
    _, low, high = DOCUMENTED[name]
    return f"{low} to {high}" + (", or None" if name == "top_k" else "")


@given(given_values)
def test_repr_json_pickle_and_copy_give_the_same_configuration(values):
    config = GenerationConfig(**values)
    for again in (
        eval(repr(config)),
        pickle.loads(pickle.dumps(config)),
        copy.deepcopy(config),
        config.model_copy(),
        GenerationConfig.model_validate_json(config.model_dump_json(exclude_unset=True)),
    ):
        assert again == config
        assert hash(again) == hash(config)
        assert again.model_fields_set == config.model_fields_set == set(values)
    assert GenerationConfig.model_validate_json(config.model_dump_json()) == config
    assert GenerationConfig.coerce(config.model_dump()) == config


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"temperature": "0.7"}, "temperature='0.7' is a string; it takes a number from 0.0 to 2.0."),
        ({"temperature": True}, "temperature=True is a boolean; it takes a number from 0.0 to 2.0."),
        ({"temperature": float("nan")}, "temperature=nan is not a number; it takes a number from 0.0 to 2.0."),
        ({"top_p": float("inf")}, "top_p=inf is out of range; it takes 0.0 to 1.0."),
        ({"temperature": None}, "temperature=None is not allowed; it takes a number from 0.0 to 2.0."),
        ({"top_p": [0.9]}, "top_p=[0.9] is a list; it takes a number from 0.0 to 1.0."),
        ({"max_new_tokens": True}, "max_new_tokens=True is a boolean; it takes an integer from 1 to 4096."),
        ({"max_new_tokens": 256.5}, "max_new_tokens=256.5 is not a whole number; it takes an integer from 1 to 4096."),
        ({"top_k": float("nan")}, "top_k=nan is not a number; it takes an integer from 1 to 100, or None."),
        ({"top_k": "all"}, "top_k='all' is a string; it takes an integer from 1 to 100, or None."),
        ({"do_sample": 1}, "do_sample=1 is an integer; it takes True or False."),
        ({"do_sample": "true"}, "do_sample='true' is a string; it takes True or False."),
        ({"seed": -2}, "seed=-2 is out of range; it takes -1 to 2^63 - 1."),
        ({"seed": 2**63}, "seed=9223372036854775808 is out of range; it takes -1 to 2^63 - 1."),
        ({"logprobs": 21}, "logprobs=21 is out of range; it takes 0 to 20, or None."),
        ({"logprobs": True}, "logprobs=True is a boolean; it takes an integer from 0 to 20, or None."),
        ({"stop_strings": 3}, "stop_strings=3 is an integer; it takes one string or a list of strings, none empty."),
        (
            {"stop_strings": ["a", ""]},
            "stop_strings[1]='' is empty; it takes one string or a list of strings, none empty.",
        ),
        (
            {"stop_strings": [b"a"]},
            "stop_strings[0]=b'a' is a bytes; it takes one string or a list of strings, none empty.",
        ),
        (
            {"stop_strings": {"a"}},
            "stop_strings={'a'} is a set; it takes one string or a list of strings, none empty.",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(values, said):
    assert message(**values) == said


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("temprature", "temperature"),
        ("temp", "temperature"),
        ("Temperature", "temperature"),
        ("max_tokens", "max_new_tokens"),
        ("max-new-tokens", "max_new_tokens"),
        ("topP", "top_p"),
        ("stop", "stop_strings"),
        ("frequency_penalty", "repetition_penalty"),
        ("top_logprobs", "logprobs"),
    ],
)
def test_an_unknown_key_is_an_error_with_the_nearest_valid_one(name, nearest):
    assert (
        message(**{name: 1}) == f"{name} is not a generation parameter. Did you mean {nearest}? (all: vi-infer config)"
    )


def test_an_unknown_key_near_to_none_lists_all():
    said = message(zzz=1)
    assert all(name in said for name in GenerationConfig.model_fields)


def test_an_argument_of_the_call_is_said_to_be_one():
    assert message(fps=2.0) == "fps is not a generation parameter. It is an argument of the call: model(..., fps=...)."
    assert "preset(name, ...)" in message(preset="detailed")


def test_several_wrong_values_are_one_error():
    said = message(temprature=1, top_p=7, seed="x")
    assert said.startswith("3 generation parameters are wrong.")
    assert "Did you mean temperature?" in said
    assert "top_p=7 is out of range" in said
    assert "seed='x' is a string" in said


def test_a_long_wrong_value_is_cut():
    assert len(message(temperature="x" * 10_000)) < 200
    assert len(message(seed=10**1000)) < 200


@given(st.integers(1, 4096))
def test_a_whole_float_is_the_integer(n):
    assert type(GenerationConfig(max_new_tokens=float(n)).max_new_tokens) is int
    assert GenerationConfig(max_new_tokens=float(n)).max_new_tokens == n


def test_numpy_scalars_are_what_they_hold():
    config = GenerationConfig(seed=np.int64(7), temperature=np.float32(0.5), do_sample=np.bool_(True))
    assert repr(config) == "GenerationConfig(temperature=0.5, do_sample=True, seed=7)"
    assert "boolean" in message(top_k=np.bool_(True))


def test_one_stop_string_or_a_list_becomes_a_tuple():
    assert GenerationConfig(stop_strings="END").stop_strings == ("END",)
    assert GenerationConfig(stop_strings=["a", "b"]).stop_strings == ("a", "b")
    assert GenerationConfig(stop_strings=None).stop_strings == ()


def test_coerce_takes_every_form():
    config = GenerationConfig(seed=3)
    assert GenerationConfig.coerce(config) is config
    assert GenerationConfig.coerce({"seed": 3}) == config
    assert GenerationConfig.coerce(None) == GenerationConfig()
    assert GenerationConfig.coerce("creative") == GenerationConfig.preset("creative")


@pytest.mark.parametrize("value", [3, ["seed"], {1: 2}, "detaild", "", b"creative", {"seed": {}}])
def test_coerce_raises_one_kind_of_error(value):
    with pytest.raises(ConfigError):
        GenerationConfig.coerce(value)


@given(
    st.dictionaries(
        st.sampled_from([*GenerationConfig.model_fields, "other"]),
        st.none() | st.booleans() | st.floats() | st.integers() | st.text() | st.lists(st.text()),
    )
)
def test_whatever_is_given_is_a_configuration_or_a_config_error(values):
    try:
        config = GenerationConfig.coerce(values)
    except ConfigError:
        return
    assert config.model_fields_set == set(values)


def test_pydantic_ways_in_are_checked_too():
    for bad in (
        lambda: GenerationConfig.model_validate({"temprature": 1}),
        lambda: GenerationConfig.model_validate(3),
        lambda: GenerationConfig.model_validate_json('{"top_p": 7}'),
        lambda: GenerationConfig.model_validate_json('{"top_p"'),
        lambda: GenerationConfig().model_copy(update={"temperature": 9}),
        lambda: GenerationConfig.preset("detailed", top_p=7),
        lambda: setattr(GenerationConfig(), "seed", 3),
    ):
        with pytest.raises(ViError):
            bad()


def test_inside_another_model_it_stays_pydantics_error():
    class Outer(BaseModel):
        generation: GenerationConfig

    with pytest.raises(ValidationError, match="top_p=7 is out of range"):
        Outer.model_validate({"generation": {"top_p": 7}})
    assert Outer.model_validate_json('{"generation": {"top_p": 1}}').generation.model_fields_set == {"top_p"}


def test_a_preset_remembers_which_values_it_brought():
    config = GenerationConfig.preset("detailed", seed=7, top_p=0.5)
    origins = {
        "max_new_tokens": "preset:detailed",
        "temperature": "preset:detailed",
        "top_p": "call",
        "do_sample": "preset:detailed",
        "seed": "call",
    }
    assert config.origins("call") == origins
    assert pickle.loads(pickle.dumps(config)).origins("call") == origins
    assert config.model_copy(update={"temperature": 0.6}).origins("call") == origins | {"temperature": "call"}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_valid_and_equal_to_its_values_written_out(name):
    config = GenerationConfig.preset(name)
    assert config == GenerationConfig(**PRESETS[name].values)
    assert config.model_fields_set == set(PRESETS[name].values)
    assert PRESETS[name].description
