"""Token ids with a meaning, from wherever a checkpoint states them."""

from __future__ import annotations

import json

import pytest

from vi.inference.errors import LoadError
from vi.inference.loading.token_ids import eos_token_ids, media_token_ids, placeholder_id
from vi.inference.preprocess.tokenizer import ChatTokenizer


@pytest.fixture(scope="module")
def parts(tiny_checkpoint):
    config = json.loads((tiny_checkpoint / "config.json").read_text())
    return config, ChatTokenizer.read(tiny_checkpoint)


@pytest.mark.parametrize("stated", [[2, 0], [0, 2, 2]])
def test_the_generation_config_comes_first(tmp_path, parts, stated):
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": stated}))
    assert eos_token_ids(tmp_path, *parts) == (0, 2)


@pytest.mark.parametrize("text", [None, "{}", "{", "[]", '{"eos_token_id": null}', '{"eos_token_id": "2"}'])
def test_without_it_the_config_says(tmp_path, parts, text):
    if text is not None:
        (tmp_path / "generation_config.json").write_text(text)
    assert eos_token_ids(tmp_path, *parts) == (2,)


def test_the_end_of_an_answer_is_never_a_media_id(parts):
    assert media_token_ids(*parts, (0, 2)) == (3, 4, 5, 6)
    assert media_token_ids(*parts, (2, 3)) == (0, 4, 5, 6)


@pytest.mark.parametrize("config", [{"image_token_id": 7}, {"image_token_index": 7}])
def test_a_placeholder_has_one_of_two_names(config):
    assert placeholder_id(config) == 7


def test_a_config_without_a_placeholder_says_which_names_it_may_have():
    with pytest.raises(LoadError, match="image_token_id or image_token_index"):
        placeholder_id({"model_type": "qwen2"})
