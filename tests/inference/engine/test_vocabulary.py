from __future__ import annotations

import dataclasses

import pytest

from vi.inference.engine.vocabulary import Vocabulary


def test_media_ids_and_ids_without_a_token_are_banned(loaded):
    wider = Vocabulary(dataclasses.replace(loaded, vocab_size=loaded.vocab_size + 3))
    unused = range(loaded.vocab_size, loaded.vocab_size + 3)
    assert wider.banned_ids == sorted({*loaded.media_token_ids, *unused})
    assert wider.banned.nonzero()[0].tolist() == wider.banned_ids


def test_an_id_that_ends_an_answer_is_never_banned(loaded):
    pads_with_eos = dataclasses.replace(loaded, media_token_ids=(*loaded.media_token_ids, *loaded.eos_token_ids))
    assert Vocabulary(pads_with_eos).banned_ids == Vocabulary(loaded).banned_ids


@pytest.mark.parametrize("text", [" the", "{"])
def test_a_token_is_spelled_with_its_space(loaded, text):
    (token_id,) = loaded.tokenizer.encode(text)
    assert Vocabulary(loaded).spell(token_id) == text
