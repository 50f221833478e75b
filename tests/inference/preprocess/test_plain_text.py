from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.inference.preprocess.vocabularies import KINDS, MARKS, save

from vi.inference.preprocess.plain_text import PlainText
from vi.inference.preprocess.tokenizer import ChatTokenizer

ORDINARY = st.text(st.characters(exclude_categories=["Cs", "Co"], exclude_characters="<>|"), max_size=30) | st.lists(
    st.sampled_from(["How", " many", "bolts", "\n", "\n\n", "\n\n\n", "\n\n\n\n", " ", "é"]), max_size=8
).map("".join)


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return {name: ChatTokenizer.read(save(folder / name, make())) for name, make in KINDS.items()}


def ids_of(plain: PlainText, template: str) -> list[int]:
    ids, first = [], True
    for piece in plain.cut(template):
        ids += [piece] if isinstance(piece, int) else plain.encode(piece, first=first)
        first = False
    return ids


@pytest.mark.parametrize("kind", KINDS)
@given(pieces=st.lists(ORDINARY | st.sampled_from([*MARKS, "<left>", "<both>"]), max_size=6))
@example(pieces=["\x1f\u3000", "<left>", "\x1f"])
def test_a_text_cut_at_its_special_tokens_is_the_whole_texts_ids(tokenizers, kind, pieces):
    text = "".join(pieces)
    assume(kind == "swallowing" or not ("<left>" in text or "<both>" in text))
    assert ids_of(PlainText(tokenizers[kind]), text) == tokenizers[kind].encode(text)


@pytest.mark.parametrize("kind", KINDS)
@given(pieces=st.lists(ORDINARY | st.sampled_from(MARKS), min_size=1, max_size=6), first=st.booleans())
def test_no_special_token_comes_out_of_a_text(tokenizers, kind, pieces, first):
    tokenizer = tokenizers[kind]
    ids = PlainText(tokenizer).encode("".join(pieces), first=first)
    unknown = tokenizer.token_to_id("<unk>")
    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special and i != unknown}
    assert special.isdisjoint(ids)
    assert all(tokenizer.id_to_token(i) is not None for i in ids)
