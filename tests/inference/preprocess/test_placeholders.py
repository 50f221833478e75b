"""The text that stands for a picture is what transformers' own processors write."""

from __future__ import annotations

import numpy as np
import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.families import TINY
from tests.inference.preprocess.stock_processors import PROCESSORS, stock_processor
from transformers.models.llava_next.processing_llava_next import LlavaNextProcessor
from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor

from vi.inference.preprocess.families import FAMILIES, get_family
from vi.inference.preprocess.placeholders import bounded_tiles, rows_of_patches, unpadded_tiles

SIDES = st.integers(1, 700)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("placeholders")
    return {name: TINY[name](folder / name) for name in PROCESSORS}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCESSORS)
def test_a_picture_is_written_as_its_processor_writes_it(folders, name):
    family = get_family(name)
    config = transformers.AutoConfig.from_pretrained(folders[name]).to_dict()
    encode = transformers.AutoImageProcessor.from_pretrained(folders[name], backend="pil")
    processor, token = stock_processor(name, encode)

    @settings(max_examples=60, deadline=None)
    @given(sizes=st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=3))
    def check(sizes):
        pictures = [Image.new("RGB", size) for size in sizes]
        try:
            inputs = encode(images=[pictures], return_tensors="np", **family.options(config))  # of one prompt
        except ValueError:  # a shape that this processor refuses
            return
        written = family.placeholders(inputs, config, token)
        assert written == [processor.replace_image_token(inputs, index) for index in range(len(pictures))]

    check()


class Grids:
    def __init__(self, config):
        self.image_grid_pinpoints = config().image_grid_pinpoints


NEXT, ONEVISION = Grids(transformers.LlavaNextConfig), Grids(transformers.LlavaOnevisionConfig)


@settings(max_examples=300, deadline=None)
@given(height=st.integers(1, 5000), width=st.integers(1, 5000))
def test_real_llavas_take_as_many_places_as_their_processors_count(height, width):
    next_, one = object.__new__(LlavaNextProcessor), object.__new__(LlavaOnevisionProcessor)
    vars(next_).update(patch_size=14, num_additional_image_tokens=0, image_processor=NEXT)
    vars(one).update(num_image_tokens=729, vision_aspect_ratio="anyres_max_9", image_processor=ONEVISION)
    inputs, config = {"image_sizes": [[height, width]]}, {"vision_config": {"patch_size": 14}}
    assert len(unpadded_tiles(inputs, config, "i")[0]) == next_._get_number_of_features(height, width, 336, 336)
    assert len(bounded_tiles(inputs, config, "i")[0]) == one._get_number_of_features(height, width, 384, 384)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_a_config_leaves_out_is_what_transformers_fills_in(name):
    inputs = {
        "image_grid_thw": np.array([[1, 8, 12]]),
        "rows": [[2]],
        "cols": [[3]],
        "image_sizes": np.array([[616, 448]]),
        "num_patches": np.array([5]),
        "num_crops": np.array([0]),
        "pixel_values": np.zeros((1, 3, 56, 56), np.float32),
    }
    family, full = get_family(name), transformers.AutoConfig.for_model(name).to_dict()
    bare = {"model_type": name, "vision_config": {}}
    assert family.placeholders(inputs, bare, "~") == family.placeholders(inputs, full, "~")
    assert family.options(bare) == family.options(full)
    if family.seen_sizes is not None:
        assert family.seen_sizes(inputs, bare) == family.seen_sizes(inputs, full)


def test_rows_of_patches_are_broken_between_and_ended_once():  # Pixtral's processor needs torchvision
    config = {"vision_config": {"patch_size": 14}, "spatial_merge_size": 2}
    texts = rows_of_patches({"image_sizes": [[56, 84], [28, 28]]}, config, "[IMG]")
    assert texts == ["[IMG][IMG][IMG][IMG_BREAK][IMG][IMG][IMG][IMG_END]", "[IMG][IMG_END]"]
