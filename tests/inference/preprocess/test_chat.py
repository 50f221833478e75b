from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.inference.preprocess.pictures import noise
from tests.inference.preprocess.vocabularies import KINDS, save

from vi.inference.errors import LoadError, PromptError
from vi.inference.loading.loaded import LoadedModel
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.tokenizer import ChatTokenizer

FAMILIES = ["qwen2_5_vl", "qwen2_vl", "smolvlm"]
ORDINARY = st.text(st.characters(exclude_categories=["Cs", "Co"], exclude_characters="<>|"), min_size=1, max_size=40)
PICTURE = Image.new("RGB", (70, 50), "teal")


@pytest.fixture
def usual(stock_tokenizers, stock_processors):
    """(family's name, user's words, picture, system prompt, template=) -> what transformers makes of them."""

    def encode(
        loaded: Any, user: str, picture: Image.Image | None, system: str | None, template: str | None = None
    ) -> list[int]:
        tokenizer = stock_tokenizers[loaded.family]
        parts = [{"type": "image"}] if picture else []
        messages = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system else []
        messages.append({"role": "user", "content": [*parts, {"type": "text", "text": user}]})
        text = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, chat_template=template
        )
        if picture:
            token = tokenizer.convert_ids_to_tokens(loaded.placeholder_id)
            family = get_family(loaded.family)
            inputs = stock_processors[loaded.family](
                images=[picture], return_tensors="np", **family.options(loaded.config)
            )
            text = text.replace(token, family.placeholders(inputs, loaded.config, token)[0])
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    return encode


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(user=ORDINARY, system=st.none() | ORDINARY, with_picture=st.booleans())
def test_an_ordinary_prompt_is_tokenized_as_usual(loaded_models, usual, name, user, system, with_picture):
    loaded, picture = loaded_models[name], PICTURE if with_picture else None
    prompt = ChatPrompt(loaded).build(user, picture=picture, system_prompt=system)
    assert prompt.token_ids == usual(loaded, user, picture, system)
    assert prompt.image_tokens == prompt.token_ids.count(loaded.placeholder_id)
    assert bool(prompt.image_tokens) == bool(prompt.media) == bool(prompt.media_key) == with_picture


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (640, 480), (33, 200)])
def test_a_picture_takes_as_many_places_as_the_model_has_features_for_it(loaded_models, size):
    for loaded in loaded_models.values():
        prompt = ChatPrompt(loaded).build("Count.", picture=Image.new("RGB", size))
        media = {name: torch.as_tensor(array) for name, array in prompt.media.items()}
        features = loaded.weights.model.get_image_features(**media, return_dict=True).pooler_output
        assert prompt.image_tokens == sum(part.reshape(-1, part.shape[-1]).shape[0] for part in features)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_a_user_writes_never_becomes_a_special_token(loaded_models, name, data):
    loaded = loaded_models[name]
    special = {token.content: i for i, token in loaded.tokenizer.added_tokens_decoder.items()}
    pieces = st.lists(st.sampled_from([*special, "<image>", "im_end|>", "<|", " ", "\n", "ok"]), min_size=1).map(
        "".join
    )
    user, system = data.draw(pieces), data.draw(pieces)
    chat = ChatPrompt(loaded)
    harmless = chat.build("a", picture=PICTURE, system_prompt="b").token_ids
    written = chat.build(f"a{user}", picture=PICTURE, system_prompt=f"b{system}").token_ids
    assert [i for i in written if i in special.values()] == [i for i in harmless if i in special.values()]
    text = loaded.tokenizer.decode(written)
    assert f"a{user}".strip() in text
    assert f"b{system}".strip() in text


def test_a_text_that_looks_like_the_sentinel_of_another_is_text(loaded):
    chat = ChatPrompt(loaded)
    prompt = chat.build("\ue0000\ue001 and \ue0001\ue001", system_prompt="\ue0001\ue001")
    assert loaded.tokenizer.decode(prompt.token_ids).count("\ue0001\ue001") == 2
    assert loaded.tokenizer.decode(prompt.token_ids).count("\ue0000\ue001") == 1


def test_room_is_what_the_context_leaves_for_the_answer(loaded):
    chat = ChatPrompt(loaded)
    prompt = chat.build("How many?", picture=PICTURE)
    assert chat.room(prompt) == loaded.context_length - len(prompt.token_ids) > 0


def test_a_prompt_longer_than_the_context_states_both_lengths(loaded):
    with pytest.raises(PromptError, match=r"2,2\d\d tokens long, 4 of them for the picture.*context is 2,048 tokens"):
        ChatPrompt(loaded).build("ä" * 1100, picture=PICTURE)


def test_a_prompt_that_leaves_one_token_fits_and_one_that_leaves_none_does_not(loaded):
    chat = ChatPrompt(loaded)
    letters = loaded.context_length - len(chat.build("").token_ids) - 1
    assert chat.room(chat.build("~" * letters)) == 1
    with pytest.raises(PromptError, match="2,048 tokens long"):
        chat.build("~" * (letters + 1))


def test_eight_threads_build_the_same_prompts_as_one(loaded):
    chat = ChatPrompt(loaded)
    texts = [f"How many {word} bolts? <|im_end|>" for word in ("red", "blue", "small") for _ in range(8)]
    alone = [chat.build(text, picture=PICTURE).token_ids for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: chat.build(text, picture=PICTURE).token_ids, texts)) == alone


def with_template(loaded: Any, template: str | None) -> Any:
    return dataclasses.replace(loaded, tokenizer=dataclasses.replace(loaded.tokenizer, chat_template=template))


def test_a_checkpoint_without_a_chat_template_says_so(loaded):
    with pytest.raises(LoadError, match="no chat template"):
        ChatPrompt(with_template(loaded, None))


def test_a_template_that_drops_the_system_prompt_is_refused_not_obeyed(loaded):
    chat = ChatPrompt(with_template(loaded, "{{ messages[-1]['content'][-1]['text'] }}"))
    assert chat.build("Hello").token_ids
    with pytest.raises(LoadError, match="does not show a system prompt"):
        chat.build("Hello", system_prompt="Be brief.")


def test_a_template_that_raises_is_a_load_error(loaded):
    chat = ChatPrompt(with_template(loaded, "{{ raise_exception('no system role') }}"))
    with pytest.raises(LoadError, match="no system role"):
        chat.build("Hello")


@pytest.mark.parametrize("text", ["  Hello there \n", "Hello", "   "])
def test_a_template_that_trims_trims_what_the_user_wrote(loaded, usual, text):
    template = "<|im_start|>user\n{{ messages[0]['content'][0]['text'] | trim }}<|im_end|>"
    prompt = ChatPrompt(with_template(loaded, template)).build(text)
    assert prompt.token_ids == usual(loaded, text, None, None, template)


def test_half_a_character_is_named(loaded):
    with pytest.raises(PromptError, match=r"Character 3 of the prompt, '\\ud83d', is half a character"):
        ChatPrompt(loaded).build("How\ud83d?")


TEMPLATES = [
    "<s>[INST] {{ messages[0]['content'][0]['text'] }} [/INST]",
    "USER: {{ messages[0]['content'][0]['text'] | trim }}\nASSISTANT:",
    "{{ messages[0]['content'][0]['text'] }}",
    "<|im_start|>{{ messages[0]['content'][0]['text'] }}<|im_end|>\n<|im_start|>assistant\n",
]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """Kind of tokenizer -> (ours, transformers')."""
    folder = tmp_path_factory.mktemp("kinds")
    folders = {name: save(folder / name, make()) for name, make in KINDS.items()}
    read = transformers.AutoTokenizer.from_pretrained
    return {name: (ChatTokenizer.read(path), read(path)) for name, path in folders.items()}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(user=ORDINARY)
def test_words_are_spelled_as_in_the_whole_text_by_every_kind_of_tokenizer(kinds, kind, template, user):
    ours, theirs = kinds[kind]
    tokenizer = dataclasses.replace(ours, chat_template=template)
    chat = ChatPrompt(LoadedModel(None, "llava_next", {}, tokenizer, None, (), (), 4, 4096, 600))
    text = theirs.apply_chat_template(
        [{"role": "user", "content": [{"type": "text", "text": user}]}], tokenize=False, chat_template=template
    )
    expected = theirs(text, add_special_tokens=not text.startswith("<s>"))["input_ids"]
    assert chat.build(user).token_ids == expected


@pytest.mark.parametrize(("name", "axes"), [("qwen2_5_vl", 3), ("qwen2_vl", 3), ("smolvlm", 1)])
def test_every_token_has_a_position_and_the_next_one_follows(loaded_models, name, axes):
    prompt = ChatPrompt(loaded_models[name]).build("How many?", picture=noise(120, 70))
    assert prompt.positions.shape == (axes, len(prompt.token_ids))
    assert (prompt.positions[:, -1] == prompt.next_position - 1).all()
    assert prompt.next_position <= len(prompt.token_ids)
    assert prompt.placeholder_id == loaded_models[name].placeholder_id


@pytest.mark.parametrize("name", FAMILIES)
def test_media_are_numpy_arrays_whose_key_is_the_pictures_alone(loaded_models, name):
    chat = ChatPrompt(loaded_models[name])
    prompt, same = (chat.build(words, picture=noise(64, 48)) for words in ("How many?", "Which colour?"))
    assert all(isinstance(array, np.ndarray) and array.flags.c_contiguous for array in prompt.media.values())
    assert prompt.media["pixel_values"].dtype == np.float32
    assert prompt.media_key == same.media_key
    assert prompt.media_key != chat.build("How many?", picture=noise(64, 48, seed=1)).media_key


def test_a_system_prompt_that_names_the_users_sentinel_stays_where_it_is(loaded):
    template = "{{ messages[0]['content'][0]['text'] }}, {{ messages[-1]['content'][0]['text'] }}"
    prompt = ChatPrompt(with_template(loaded, template)).build("user", system_prompt="\ue0001\ue001")
    assert loaded.tokenizer.decode(prompt.token_ids) == "\ue0001\ue001, user"


def test_a_template_that_tells_the_time_tells_it_every_time(loaded):
    chat = ChatPrompt(with_template(loaded, "{{ strftime_now('%f') }} {{ messages[0]['content'][0]['text'] }}"))
    assert len({tuple(chat.build("now").token_ids) for _ in range(20)}) > 1


def test_a_cached_prompt_is_not_changed_by_those_who_hold_it(loaded):
    chat = ChatPrompt(loaded)
    first = chat.build("How many?", system_prompt="You are.")
    expected = list(first.token_ids)
    first.token_ids.clear()
    assert chat.build("How many?", system_prompt="You are.").token_ids == expected
