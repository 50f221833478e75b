"""Small tokenizers of the kinds that checkpoints have, as the folders that transformers saves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "How many red bolts are there? There are three.",
    "Describe this picture of a workbench:\n\n\n a nut, a gear",
] * 3
MARKS = ["<s>", "</s>", "<pad>", "<image>", "<|im_start|>", "<|im_end|>"]


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]  # what byte fallback spells with


def _trained(tokenizer: Tokenizer, alphabet: list[str], *more: str) -> Tokenizer:
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<unk>", *MARKS, *BYTES], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([*CORPUS, *more], trainer)
    files = json.loads(tokenizer.to_str())  # bytes are tokens of the vocabulary and not found in text
    files["added_tokens"] = [token for token in files["added_tokens"] if token["content"] not in BYTES]
    return Tokenizer.from_str(json.dumps(files))


def byte_level() -> Tokenizer:
    """As GPT-2's, Qwen's and SmolVLM's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return _trained(tokenizer, sorted(pre_tokenizers.ByteLevel.alphabet()))


def sentence_piece(scheme: str) -> Tokenizer:
    """As Llama's and Mistral's: words begin with a mark, also the first of a text (``first``) or piece (``always``)."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return _begins_with_bos(_trained(tokenizer, ["▁", "\n"]))


def older_sentence_piece() -> Tokenizer:
    """As Llama 2's: a normalizer puts the mark before every piece."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return _begins_with_bos(_trained(tokenizer, ["▁", "\n"]))


def gemma_like() -> Tokenizer:
    """As Gemma's: runs of newlines are tokens that are added and not special, and spaces are only replaced."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer = _trained(tokenizer, ["▁", "\n"], *["\n\n", "\n\n\n"] * 9)
    tokenizer.add_tokens([AddedToken("\n\n\n", normalized=False), AddedToken("\n\n", normalized=False)])
    return _begins_with_bos(tokenizer)


def swallowing() -> Tokenizer:
    """Byte level, with special tokens that swallow the white space around them."""
    tokenizer = byte_level()
    tokenizer.add_special_tokens([AddedToken("<left>", lstrip=True), AddedToken("<both>", lstrip=True, rstrip=True)])
    return tokenizer


def _begins_with_bos(tokenizer: Tokenizer) -> Tokenizer:
    bos = ("<s>", tokenizer.token_to_id("<s>"))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[bos])
    return tokenizer


KINDS: dict[str, Any] = {
    "byte level": byte_level,
    "sentence piece, first": lambda: sentence_piece("first"),
    "sentence piece, always": lambda: sentence_piece("always"),
    "older sentence piece": older_sentence_piece,
    "gemma": gemma_like,
    "swallowing": swallowing,
}


def save(folder: Path, tokenizer: Tokenizer, **options: Any) -> Path:
    """A checkpoint's tokenizer files, as transformers writes them."""
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", **options}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    return folder
