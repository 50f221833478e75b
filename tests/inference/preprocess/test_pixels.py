from __future__ import annotations

import pytest
from PIL import Image

from vi.inference.errors import PromptError
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.pixels import encode_pictures


def encode(loaded, *pictures):
    return encode_pictures(
        pictures, loaded.image_processor, get_family(loaded.config.model_type), loaded.config, "<image>"
    )


def test_several_pictures_have_a_placeholder_each(loaded):
    encoded = encode(loaded, Image.new("RGB", (64, 64)), Image.new("RGB", (200, 60)))
    alone = encode(loaded, Image.new("RGB", (200, 60)))
    assert encoded.placeholders[1:] == alone.placeholders
    assert len(encoded.tensors["image_grid_thw"]) == 2


def test_without_pictures_there_is_nothing_to_give_the_model(loaded):
    assert encode(loaded) == encode_pictures([], None, get_family("smolvlm"), None, "")


def test_how_a_picture_was_cut_is_not_given_to_the_model(loaded_models):
    encoded = encode(loaded_models["smolvlm"], Image.new("RGB", (64, 64)))
    assert {"rows", "cols"}.isdisjoint(encoded.tensors)
    assert "pixel_values" in encoded.tensors


def test_a_picture_the_processor_refuses_is_named_by_its_size(loaded):
    with pytest.raises(PromptError, match=r"1x900 pixels cannot be prepared.*aspect ratio"):
        encode(loaded, Image.new("RGB", (1, 900)))
