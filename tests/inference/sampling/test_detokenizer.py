import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from vi.inference.sampling.detokenizer import Detokenizer, TokenTexts

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def byte_level():
    """A byte a token and two merges, so that every character outside ASCII spans tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate([*alphabet, "th", "the"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[("t", "h"), ("th", "e")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return with_specials(tokenizer)


def sentencepiece_like():
    """Spaces as ▁, one put in front, bytes for what the vocabulary lacks: the layout of Llama and Gemma."""
    pieces = ["<unk>", *BYTES, "▁", *"abcdefghijklmnopqrstuvwxyz", "▁a", "▁▁", "▁▁▁"]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    merges = [("▁", "a"), ("▁", "▁"), ("▁▁", "▁")]
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    return with_specials(tokenizer)


def metaspace():
    pieces = ["<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz", "▁a", "ab"]
    vocab = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[("▁", "a"), ("a", "b")], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return with_specials(tokenizer)


def with_specials(tokenizer):
    tokenizer.add_special_tokens([AddedToken("<eos>", special=True), AddedToken("<image>", special=True)])
    return tokenizer


TOKENIZERS = {"byte level": byte_level(), "sentencepiece": sentencepiece_like(), "metaspace": metaspace()}
every = pytest.mark.parametrize("tokenizer", TOKENIZERS.values(), ids=TOKENIZERS)


def streamed(tokenizer, ids):
    """What the way of any tokenizer gives and, beside it, what the way of its own kind does."""
    ways = []
    for detokenizer in (Detokenizer(tokenizer), TokenTexts(tokenizer).detokenizer()):
        pieces = [detokenizer.push(i) for i in ids]
        ways.append((pieces, detokenizer.flush()))
    whole, own = ("".join(pieces) + rest for pieces, rest in ways)
    assert whole == own
    return ways[1]


@every
@given(text=st.text(max_size=60) | st.text(alphabet="a b\n😀é漢\ufffd", max_size=20))
def test_pushes_and_flush_join_to_the_whole_decode(tokenizer, text):
    ids = tokenizer.encode(text).ids
    pieces, rest = streamed(tokenizer, ids)
    assert "".join(pieces) + rest == tokenizer.decode(ids, skip_special_tokens=True)


@every
@given(text=st.text(alphabet="a b😀é", max_size=30), where=st.lists(st.integers(0, 60), max_size=4))
def test_special_tokens_anywhere_change_nothing(tokenizer, text, where):
    ids = tokenizer.encode(text).ids
    for place in where:
        ids.insert(place % (len(ids) + 1), tokenizer.token_to_id("<image>"))
    pieces, rest = streamed(tokenizer, ids)
    assert "".join(pieces) + rest == tokenizer.decode(ids, skip_special_tokens=True)


@given(st.lists(st.integers(0, 259), max_size=60))
def test_any_bytes_join_to_the_whole_decode(ids):
    tokenizer = TOKENIZERS["byte level"]
    pieces, rest = streamed(tokenizer, ids)
    assert "".join(pieces) + rest == tokenizer.decode(ids, skip_special_tokens=True)


@pytest.mark.parametrize("name", ["byte level", "sentencepiece"])
@given(text=st.text(alphabet="ab😀é漢", max_size=30))
def test_a_piece_never_holds_half_a_character(name, text):
    pieces, rest = streamed(TOKENIZERS[name], TOKENIZERS[name].encode(text).ids)
    assert not any("\ufffd" in piece for piece in pieces)
    assert rest == ""


@pytest.mark.parametrize("name", ["byte level", "sentencepiece"])
def test_a_character_appears_with_its_last_byte(name):
    tokenizer = TOKENIZERS[name]
    ids = tokenizer.encode("a😀😀").ids
    pieces, _ = streamed(tokenizer, ids)
    assert [piece for piece in pieces if piece] == ["a", "😀", "😀"]


@pytest.mark.parametrize("name", ["byte level", "sentencepiece"])
def test_a_text_cut_inside_a_character_keeps_what_was_shown(name):
    tokenizer = TOKENIZERS[name]
    pieces, rest = streamed(tokenizer, tokenizer.encode("é😀").ids[:-1])
    assert "".join(pieces) == "é"
    assert set(rest) == {"\ufffd"}


def test_leading_spaces_inside_the_text_survive():
    tokenizer = TOKENIZERS["sentencepiece"]
    pieces, _ = streamed(tokenizer, tokenizer.encode("a   b  a").ids)
    assert "".join(pieces) == "a   b  a"


@pytest.mark.parametrize("make", [Detokenizer, lambda tokenizer: TokenTexts(tokenizer).detokenizer()])
def test_bytes_that_never_become_a_character_do_not_pile_up(make):
    detokenizer = make(TOKENIZERS["byte level"])
    stray = TOKENIZERS["byte level"].encode("é").ids[1]
    shown = "".join(detokenizer.push(stray) for _ in range(200))
    assert len(shown) > 100
    assert shown + detokenizer.flush() == "\ufffd" * 200


def test_a_transformers_tokenizer_is_taken_as_it_is():
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=byte_level(), eos_token="<eos>")
    ids = tokenizer("the 😀")["input_ids"] + [tokenizer.eos_token_id]
    pieces, rest = streamed(tokenizer, ids)
    assert "".join(pieces) + rest == "the 😀"
