"""Which token ids of a checkpoint mean something: end of answer, and media placeholders."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vi.inference.errors import LoadError

if TYPE_CHECKING:
    from vi.inference.preprocess.tokenizer import ChatTokenizer

MEDIA_TOKEN = re.compile(r"image|img|vision|video|audio|fake_token|row_\d+_col_\d+|patch")
MEDIA_FIELD = re.compile(r"(image|video|audio|vision|boi|eoi)\w*_token_(id|index)$")
PLACEHOLDER_FIELDS = ("image_token_id", "image_token_index")  # the second is LLaVA's and its kin's

Config = Mapping[str, Any]


def text_config(config: Config) -> Config:
    """The language model's part of ``config.json``; all of it where it has no parts."""
    return config.get("text_config") or config.get("llm_config") or config


def eos_token_ids(folder: Path, config: Config, tokenizer: ChatTokenizer) -> tuple[int, ...]:
    """Ids that end an answer: ``generation_config.json``'s, else the config's, else the tokenizer's, ascending.

    The order of ``transformers``' own ``generate``. Nothing but ids is read from ``generation_config.json``.
    """
    try:
        stated = json.loads((folder / "generation_config.json").read_text(encoding="utf-8")).get("eos_token_id")
    except (OSError, ValueError, AttributeError):
        stated = None
    parts = (config, text_config(config))
    candidates = (stated, *(part.get("eos_token_id") for part in parts), tokenizer.eos_token_id)
    return next((ids for ids in map(_ids, candidates) if ids), ())


def media_token_ids(config: Config, tokenizer: ChatTokenizer, eos_ids: Iterable[int]) -> tuple[int, ...]:
    """Ids of placeholders for pictures and clips, their brackets, and padding, ascending.

    An id that ends an answer is never among them, as when a tokenizer pads with its end token.
    From the config's fields (``image_token_id`` …) and the tokenizer's special tokens by their names.
    """
    fields = {**text_config(config), **config}
    ids = {value for name, value in fields.items() if MEDIA_FIELD.search(name) and isinstance(value, int)}
    for token_id, token in tokenizer.added_tokens_decoder.items():
        if token.special and MEDIA_TOKEN.search(token.content.lower()):
            ids.add(token_id)
    if tokenizer.pad_token_id is not None:
        ids.add(tokenizer.pad_token_id)
    return tuple(sorted(ids - set(eos_ids)))


def placeholder_id(config: Config) -> int:
    """The id that stands for one place of a picture. Raises LoadError where the config names none."""
    for name in PLACEHOLDER_FIELDS:
        if isinstance(value := config.get(name), int):
            return value
    raise LoadError(
        f"config.json names no placeholder for pictures ({' or '.join(PLACEHOLDER_FIELDS)}).",
        "Fetch the checkpoint again, or use one of a vision-language model.",
    )


def _ids(value: Any) -> tuple[int, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(sorted({item for item in values if isinstance(item, int) and not isinstance(item, bool)}))
