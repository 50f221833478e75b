"""Generation parameters written as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.cli.values import read_pairs, read_value
from vi.inference.errors import ConfigError
from vi.inference.generation_config import option_specs

SPECS = {spec.name: spec for spec in option_specs()}


@given(st.integers() | st.floats(allow_nan=False))
def test_a_number_survives_being_written(number):
    assert read_value(SPECS["temperature"], repr(number)) == number


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("none", None), ("maybe", "maybe")])
def test_booleans_and_none_are_words(text, value):
    assert read_value(SPECS["do_sample"], text) is value or value == "maybe"


def test_pairs_and_json_mix_and_the_later_one_wins():
    texts = ['{"temperature": 0.7, "seed": 1}', "temperature=0.2", "top-k=none", "do_sample=true"]
    assert read_pairs(texts) == {"temperature": 0.2, "seed": 1, "top_k": None, "do_sample": True}


@pytest.mark.parametrize(
    ("text", "value"), [("stop_strings=a=b", "a=b"), ('stop_strings=["x", "y"]', ["x", "y"]), ("stop_strings=12", "12")]
)
def test_stop_strings_are_text_or_a_json_list(text, value):
    assert read_pairs([text]) == {"stop_strings": value}


def test_what_sets_nothing_is_an_error_that_shows_how():
    with pytest.raises(ConfigError, match=r"'hot' sets nothing. Write temperature=0.7"):
        read_pairs(["hot"])
