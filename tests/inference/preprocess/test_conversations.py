"""What was said before stands in a prompt as transformers' own chat template puts it, and as nothing but text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.inference.preprocess.test_chat import ORDINARY, with_template

from vi.inference import PromptError, Turn
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.preprocess.families import get_family

FAMILIES = ["qwen2_5_vl", "qwen2_vl", "smolvlm"]
PICTURES = [Image.new("RGB", size, "teal") for size in ((70, 50), (56, 120), (30, 30))]


@pytest.fixture
def usual(stock_tokenizers, stock_processors):
    """(model, turns, system prompt) -> what transformers makes of them."""

    def encode(loaded: Any, turns: list[Turn], system: str | None) -> list[int]:
        tokenizer, family = stock_tokenizers[loaded.family], get_family(loaded.family)
        messages = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system else []
        for turn in turns:
            content = [*([{"type": "image"}] * turn.num_pictures), {"type": "text", "text": turn.text}]
            messages.append({"role": turn.role, "content": content})
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        count = sum(turn.num_pictures for turn in turns)
        if count:
            token = tokenizer.convert_ids_to_tokens(loaded.placeholder_id)
            options = {**family.options(loaded.config), "return_tensors": "np"}
            inputs = stock_processors[loaded.family](images=[PICTURES[:count]], **options)
            before, *rest = text.split(token)
            places = family.placeholders(inputs, loaded.config, token)
            text = before + "".join(place + piece for place, piece in zip(places, rest, strict=True))
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    return encode


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(ORDINARY, min_size=1, max_size=5), system=st.none() | ORDINARY, shown=st.lists(st.integers(0, 1)))
def test_a_conversation_is_tokenized_as_usual(loaded_models, usual, name, texts, system, shown):
    loaded, texts = loaded_models[name], texts if len(texts) % 2 else [*texts, "and?"]
    shown = [*shown, 0, 0, 0][:3]
    turns = [Turn("assistant", text) if i % 2 else Turn("user", text, shown[i // 2]) for i, text in enumerate(texts)]
    pictures = PICTURES[: sum(turn.num_pictures for turn in turns)]
    chat = ChatPrompt(loaded)
    prompt = chat.build(turns[-1].text, picture=pictures or None, system_prompt=system, history=turns[:-1])
    assert prompt.token_ids == usual(loaded, turns, system)
    assert bool(prompt.image_tokens) == bool(pictures)


@pytest.mark.parametrize("name", FAMILIES)
def test_what_was_said_before_never_becomes_a_special_token(loaded_models, name):
    loaded = loaded_models[name]
    special = {token.content: i for i, token in loaded.tokenizer.added_tokens_decoder.items()}
    nasty = "".join([*special, "\ue0001\ue001", "\ue0003\ue001"])
    chat = ChatPrompt(loaded)

    def build(text: str) -> list[int]:
        history = [Turn("user", f"a{text}", 1), Turn("assistant", f"b{text}")]
        return chat.build(f"c{text}", picture=PICTURES[0], system_prompt=f"d{text}", history=history).token_ids

    harmless, written = build(""), build(nasty)
    assert [i for i in written if i in special.values()] == [i for i in harmless if i in special.values()]
    text = loaded.tokenizer.decode(written)
    assert [text.count(f"{letter}{nasty}".strip()) for letter in "abcd"] == [1, 1, 1, 1]


def test_a_template_of_one_turn_refuses_a_conversation_and_says_what_to_do(loaded):
    history = [Turn("user", "How many?"), Turn("assistant", "Three.")]
    drops = ChatPrompt(with_template(loaded, "{{ messages[-1]['content'][-1]['text'] }}"))
    raises = ChatPrompt(with_template(loaded, "{{ raise_exception('one turn only') }}"))
    for chat, reason in ((drops, "does not show what was said before"), (raises, "one turn only")):
        with pytest.raises(PromptError, match=f"{reason}.*Put what was said before into"):
            chat.build("And now?", history=history)


def test_turns_that_show_more_pictures_than_there_are_are_refused(loaded):
    with pytest.raises(PromptError, match="shows more than a picture"):
        ChatPrompt(loaded).build("And?", picture=PICTURES[0], history=[Turn("user", "Which?", 2)])
