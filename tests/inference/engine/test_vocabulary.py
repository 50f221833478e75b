from __future__ import annotations

from types import SimpleNamespace

import pytest
from tests.inference.engine.numpy_model import END, PAD, PICTURE, vocabulary_facts

from vi.inference.engine.vocabulary import Vocabulary


def vocabulary(**changes):
    return Vocabulary(SimpleNamespace(**{**vars(vocabulary_facts()), **changes}))


def test_media_ids_and_ids_without_a_token_are_banned():
    size = vocabulary_facts().tokenizer.get_vocab_size()
    wider = vocabulary(vocab_size=size + 3)
    assert wider.banned_ids == [PICTURE, PAD, size, size + 1, size + 2]
    assert wider.banned.nonzero()[0].tolist() == wider.banned_ids


def test_an_id_that_ends_an_answer_is_never_banned():
    assert vocabulary(media_token_ids=(PICTURE, PAD, END)).banned_ids == vocabulary().banned_ids


@pytest.mark.parametrize("text", ["Ġred", "{"])
def test_a_token_is_spelled_with_its_space(text):
    token_id = vocabulary_facts().tokenizer.token_to_id(text)
    assert vocabulary().spell(token_id) == text.replace("Ġ", " ")
