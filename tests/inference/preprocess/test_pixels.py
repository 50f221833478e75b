from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vi.inference.errors import PromptError
from vi.inference.preprocess.pixels import media_key, refused


def test_the_order_of_arrays_does_not_matter_to_their_key():
    first, second = np.zeros((2, 3), np.float32), np.ones(4, np.int64)
    assert media_key({"a": first, "b": second}) == media_key({"b": second, "a": first})
    assert len(media_key({})) == 32


@pytest.mark.parametrize(
    "other",
    [
        {"b": np.zeros((2, 6), np.uint8)},
        {"a": np.zeros((6, 2), np.uint8)},
        {"a": np.zeros((2, 6), np.int8)},
        {"a": np.eye(2, 6, dtype=np.uint8)},
        {"a": np.zeros((2, 6), np.uint8), "b": np.zeros(0)},
    ],
)
def test_another_name_shape_format_or_value_is_another_key(other):
    assert media_key(other) != media_key({"a": np.zeros((2, 6), np.uint8)})


@given(st.binary(min_size=12, max_size=12))
def test_how_an_array_lies_in_memory_is_not_in_its_key(data):
    array = np.frombuffer(data, np.uint8).reshape(3, 4)
    assert media_key({"a": array}) == media_key({"a": np.asfortranarray(array)}) == media_key({"a": array.copy()})


def test_a_refused_picture_is_named_by_its_size():
    error = refused([Image.new("RGB", (1, 900)), Image.new("RGB", (2, 3))], "too long")
    assert isinstance(error, PromptError)
    assert str(error) == "A picture of 1x900, 2x3 pixels cannot be prepared for this model: too long."
