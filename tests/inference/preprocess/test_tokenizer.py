from __future__ import annotations

import json

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.preprocess.vocabularies import KINDS, MARKS, byte_level, save

from vi.inference.errors import LoadError
from vi.inference.preprocess.tokenizer import ChatTokenizer

TEXTS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(
        [*MARKS, "<left>", "<both>", "\n", "\n\n", "\n\n\n", " ", "  ", "How many", " bolts", "é", "👩‍🔧"]
    ),
    max_size=8,
).map("".join)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizers")
    return {name: save(folder / name, make()) for name, make in KINDS.items()}


@pytest.fixture(scope="module")
def pairs(folders):
    """Kind -> (ours, transformers')."""
    read = transformers.AutoTokenizer.from_pretrained
    return {name: (ChatTokenizer.read(folder), read(folder)) for name, folder in folders.items()}


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS, special=st.booleans())
def test_ids_are_those_of_transformers(pairs, kind, text, special):
    ours, theirs = pairs[kind]
    ids = theirs(text, add_special_tokens=special)["input_ids"]
    assert ours.encode(text, add_special_tokens=special) == ids
    for skip in (True, False):
        assert ours.decode(ids, skip_special_tokens=skip) == theirs.decode(ids, skip_special_tokens=skip)


def assert_same_facts(ours, theirs):
    assert dict(ours.special_tokens_map) == theirs.special_tokens_map
    assert ours.get_vocab() == theirs.get_vocab()
    assert {i: repr(token) for i, token in ours.added_tokens_decoder.items()} == {
        i: repr(token) for i, token in theirs.added_tokens_decoder.items()
    }
    for name in ("bos_token", "bos_token_id", "eos_token_id", "pad_token_id"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.adds_bos == (theirs("")["input_ids"][:1] == [theirs.bos_token_id])


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_tokenizer_knows_is_what_transformers_reads(pairs, kind):
    assert_same_facts(*pairs[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_a_transformers_tokenizer_becomes_the_same(pairs, kind):
    ours, theirs = pairs[kind]
    assert_same_facts(ChatTokenizer.of(theirs), theirs)
    assert ChatTokenizer.of(theirs).encode("How <image> many?") == ours.encode("How <image> many?")


def table(content, **flags):
    return {"content": content, "lstrip": False, "rstrip": False, "normalized": False, "single_word": False, **flags}


CONFIGS = {
    "names in tables": {"eos_token": {"__type": "AddedToken", **table("</s>")}, "bos_token": "<s>"},
    "a token of its own name": {"eos_token": "</s>", "image_token": "<image>", "boi_token": "<new_picture>"},
    "named extras": {"extra_special_tokens": {"image_token": "<image>", "frame_token": "<frame>"}},
    "listed extras": {"additional_special_tokens": ["<image>", "<one>", "<two>"], "eos_token": "</s>"},
    "a decoder": {
        "eos_token": "<|im_end|>",
        "added_tokens_decoder": {
            "900": table("<late>", special=True),
            "899": table("<tool>", special=False, lstrip=True),
            "3": table("<pad>", special=True),
        },
        "additional_special_tokens": ["<tool>"],
    },
    "nothing": {},
}


@pytest.mark.parametrize("name", CONFIGS)
def test_every_form_of_the_configuration_is_read_as_by_transformers(tmp_path, name):
    save(tmp_path, byte_level())
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **CONFIGS[name]}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    ours, theirs = ChatTokenizer.read(tmp_path), transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert_same_facts(ours, theirs)
    text = "<image> <one><two> a <tool> b <late></s>"
    assert ours.encode(text) == theirs(text, add_special_tokens=False)["input_ids"]


def test_the_files_of_older_checkpoints_are_read_as_by_transformers(tmp_path):
    save(tmp_path, byte_level())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
    special = {"eos_token": table("</s>"), "pad_token": "<|im_end|>", "additional_special_tokens": ["<image>", "<one>"]}
    (tmp_path / "special_tokens_map.json").write_text(json.dumps(special))
    vocab_size = byte_level().get_vocab_size()
    added = {"<one>": vocab_size, "plain": vocab_size + 1}
    (tmp_path / "added_tokens.json").write_text(json.dumps(added))
    ours, theirs = ChatTokenizer.read(tmp_path), transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert_same_facts(ours, theirs)
    assert ours.encode("<one> plain") == theirs("<one> plain", add_special_tokens=False)["input_ids"]


def with_config(folder, **values):
    save(folder, byte_level())
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    return folder


def test_a_template_comes_from_the_first_file_that_has_one(tmp_path):
    with_config(tmp_path, chat_template="of the tokenizer")
    assert ChatTokenizer.read(tmp_path).chat_template == "of the tokenizer"
    (tmp_path / "chat_template.json").write_text('{"chat_template": "of the processor"}')
    assert ChatTokenizer.read(tmp_path).chat_template == "of the processor"
    (tmp_path / "chat_template.jinja").write_text("of its own file")
    assert ChatTokenizer.read(tmp_path).chat_template == "of its own file"


def test_of_several_templates_the_default_is_taken(tmp_path):
    several = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]
    with_config(tmp_path, chat_template=several)
    assert ChatTokenizer.read(tmp_path).chat_template == "plain"
    stock = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert ChatTokenizer.of(stock).chat_template == stock.get_chat_template() == "plain"


def test_a_length_without_limit_is_no_limit(tmp_path):
    assert ChatTokenizer.read(with_config(tmp_path, model_max_length=10**30)).model_max_length is None
    assert ChatTokenizer.read(with_config(tmp_path, model_max_length=77)).model_max_length == 77


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_broken_file_is_named_by_its_folder(tmp_path, name, text):
    save(tmp_path, byte_level())
    (tmp_path / name).write_text(text)
    with pytest.raises(LoadError, match=str(tmp_path)):
        ChatTokenizer.read(tmp_path)


def test_padding_and_cutting_that_a_file_asks_for_are_not_done(tmp_path):
    tokenizer = byte_level()
    tokenizer.enable_padding(length=30)
    tokenizer.enable_truncation(3)
    save(tmp_path, tokenizer)
    assert len(ChatTokenizer.read(tmp_path).encode("How many bolts? " * 9)) > 30


def test_a_tokenizer_written_in_python_is_refused():
    with pytest.raises(LoadError, match="int has no fast tokenizer"):
        ChatTokenizer.of(3)
