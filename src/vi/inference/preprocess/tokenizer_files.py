"""What stands beside a ``tokenizer.json``: special tokens by name, added tokens, and the chat template."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import AddedToken

from vi.inference.errors import LoadError

NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


@dataclass(frozen=True)
class TokenizerFiles:
    """special_tokens: name → text. added_tokens: those that the text is cut at, in the order of their ids.

    chat_template: jinja source, None where there is none. model_max_length: as stated, however absurd.
    """

    special_tokens: Mapping[str, str]
    added_tokens: tuple[AddedToken, ...]
    chat_template: str | None
    model_max_length: int | None

    @classmethod
    def read(cls, folder: Path) -> TokenizerFiles:
        """From ``tokenizer_config.json`` and, in checkpoints older than its tables, the files that it replaced.

        The rules are transformers' own. Raises LoadError for a file that is not what it should be.
        """
        config = _read(folder / "tokenizer_config.json")
        added = {int(i): _token(token) for i, token in config.get("added_tokens_decoder", {}).items()}
        if "added_tokens_decoder" not in config:
            config |= _read(folder / "special_tokens_map.json")
        named, others = _special(config)
        if "added_tokens_decoder" not in config:
            extra = config.get("extra_special_tokens") or []  # transformers looks at this name alone
            names = {token.content for token in (*named.values(), *map(_token, extra))}
            legacy = _read(folder / "added_tokens.json")
            added = {
                i: AddedToken(text, normalized=text not in names, special=text in names) for text, i in legacy.items()
            }
        tokens = tuple(token for _, token in sorted(added.items()))
        return cls(
            special_tokens={name: token.content for name, token in named.items()},
            added_tokens=(*tokens, *named.values(), *others),
            chat_template=_chat_template(folder, config),
            model_max_length=config.get("model_max_length"),
        )


def _special(config: Mapping[str, Any]) -> tuple[dict[str, AddedToken], list[AddedToken]]:
    """(special tokens by name, special tokens that have none)."""
    others = config.get("extra_special_tokens") or config.get("additional_special_tokens") or []
    stated = {**config, **others} if isinstance(others, Mapping) else config
    more = [name for name, value in stated.items() if name.endswith("_token") and name not in NAMED]
    named = {name: _token(stated[name]) for name in (*NAMED, *more) if isinstance(stated.get(name), str | Mapping)}
    return named, [_token(token) for token in others] if not isinstance(others, Mapping) else []


def _token(stated: Any) -> AddedToken:
    """A token from its text, or from its table. One that is only a text is special."""
    if isinstance(stated, str):
        return AddedToken(stated, special=True)
    flags = {name: stated[name] for name in ("single_word", "lstrip", "rstrip", "normalized") if name in stated}
    return AddedToken(stated["content"], special=stated.get("special", True), **flags)


def _chat_template(folder: Path, config: Mapping[str, Any]) -> str | None:
    """The first of: the jinja file, the processor's older JSON file, what the tokenizer's configuration states.

    The processor's goes before the tokenizer's, which may be that of the language model alone and know no pictures.
    """
    jinja = folder / "chat_template.jinja"
    if jinja.is_file():
        return jinja.read_text(encoding="utf-8")
    stated = _read(folder / "chat_template.json").get("chat_template") or config.get("chat_template")
    if isinstance(stated, list):
        stated = {template["name"]: template["template"] for template in stated}
    return stated.get("default") if isinstance(stated, Mapping) else stated


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LoadError(f"{path} cannot be read ({error}).", "Fetch the checkpoint again.") from None
    if not isinstance(value, dict):
        raise LoadError(f"{path} is not a table of settings.", "Fetch the checkpoint again.")
    return value
