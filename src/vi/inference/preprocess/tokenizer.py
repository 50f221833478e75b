"""A checkpoint's tokenizer and chat template, read with ``tokenizers`` and jinja alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from vi.inference.errors import LoadError
from vi.inference.preprocess.template import ChatTemplate, Messages
from vi.inference.preprocess.tokenizer_files import TokenizerFiles

NO_LIMIT = 1 << 30  # tokenizers state absurd lengths where they have no limit


@dataclass(frozen=True)
class ChatTokenizer:
    """Text to token ids and back, and the template of a conversation. Any number of threads may use one at once.

    backend_tokenizer: the ``tokenizers.Tokenizer``, which pads and cuts nothing. chat_template: jinja source, None
    where the checkpoint has none. special_tokens_map: ``bos_token``, ``eos_token`` ... → their text; the template may
    read them by these names. model_max_length: tokens, None where the files state no limit.
    """

    backend_tokenizer: Tokenizer = field(repr=False)  # its own lists the vocabulary
    chat_template: str | None = None
    special_tokens_map: Mapping[str, str] = field(default_factory=dict)
    model_max_length: int | None = None

    @classmethod
    def read(cls, folder: Path) -> ChatTokenizer:
        """The tokenizer of a checkpoint or bundle that has a ``tokenizer.json``. Raises LoadError."""
        files = TokenizerFiles.read(folder)
        try:
            backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises bare Exception
            reason = str(error).strip().split("\n")[0].rstrip(".")
            message = f"The tokenizer in {folder} cannot be loaded: {reason}."
            raise LoadError(message, "Fetch the checkpoint again.") from error
        _add_missing(backend, files.added_tokens)
        return cls._of(backend, files.chat_template, files.special_tokens, files.model_max_length)

    @classmethod
    def of(cls, tokenizer: Any, folder: Path | None = None) -> ChatTokenizer:
        """The same from a transformers tokenizer, for checkpoints without a ``tokenizer.json``.

        folder: where a chat template may stand beside it. Raises LoadError for one that is written in Python.
        """
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if not isinstance(backend, Tokenizer):
            message = f"{type(tokenizer).__name__} has no fast tokenizer (tokenizer.json)."
            raise LoadError(
                message, "Convert it with transformers: save a fast tokenizer into the checkpoint's folder."
            )
        template = TokenizerFiles.read(folder).chat_template if folder is not None else None
        if template is None:
            template = tokenizer.chat_template
        if isinstance(template, Mapping):
            template = template.get("default")
        return cls._of(backend, template, tokenizer.special_tokens_map, tokenizer.model_max_length)

    @classmethod
    def _of(
        cls, backend: Tokenizer, template: str | None, special: Mapping[str, str], longest: int | None
    ) -> ChatTokenizer:
        backend.no_padding()
        backend.no_truncation()
        limit = int(longest) if longest and longest < NO_LIMIT else None
        return cls(backend, template, dict(special), limit)

    @property
    def bos_token(self) -> str | None:
        return self.special_tokens_map.get("bos_token")

    @property
    def bos_token_id(self) -> int | None:
        return self._id("bos_token")

    @property
    def eos_token_id(self) -> int | None:
        return self._id("eos_token")

    @property
    def pad_token_id(self) -> int | None:
        return self._id("pad_token")

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Id → token that is found in text before it is cut into pieces; those for markup are ``special``."""
        return self.backend_tokenizer.get_added_tokens_decoder()

    @cached_property
    def adds_bos(self) -> bool:
        """Whether a text begins with the ``bos_token`` also where its writer did not put it."""
        first = self.backend_tokenizer.encode("", add_special_tokens=True).ids[:1]
        return bool(first) and first[0] == self.bos_token_id

    def get_vocab(self) -> dict[str, int]:
        """Token → id, added ones too."""
        return self.backend_tokenizer.get_vocab(with_added_tokens=True)

    def token_to_id(self, token: str) -> int | None:
        return self.backend_tokenizer.token_to_id(token)

    def id_to_token(self, token_id: int) -> str | None:
        return self.backend_tokenizer.id_to_token(token_id)

    def encode(self, text: str, *, add_special_tokens: bool = False) -> list[int]:
        """Token ids of a text, in which special tokens are found wherever they are written."""
        return self.backend_tokenizer.encode(text, add_special_tokens=add_special_tokens).ids

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of token ids; bytes that are no character show as U+FFFD."""
        return self.backend_tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)

    @cached_property
    def template(self) -> ChatTemplate:
        """The compiled chat template. Raises LoadError where there is none, or it does not parse."""
        if not self.chat_template:
            raise LoadError(
                "This checkpoint has no chat template, so it cannot be asked a question.",
                "Put chat_template.jinja beside its tokenizer.json.",
            )
        return _reported(ChatTemplate, self.chat_template)

    def apply_chat_template(self, messages: Messages, *, add_generation_prompt: bool = False) -> str:
        """The conversation as text, by the checkpoint's template. Raises LoadError where it cannot be rendered."""
        return _reported(
            self.template.render, messages, add_generation_prompt=add_generation_prompt, **self.special_tokens_map
        )

    def _id(self, name: str) -> int | None:
        token = self.special_tokens_map.get(name)
        return None if token is None else self.token_to_id(token)


def _add_missing(backend: Tokenizer, tokens: Iterable[AddedToken]) -> None:
    """Add tokens that the other files state and ``tokenizer.json`` lacks, in their order."""
    there = {token.content for token in backend.get_added_tokens_decoder().values()}
    missing: list[AddedToken] = []
    for token in tokens:
        if token.content not in there:  # stated twice, a token is what the first place says
            there.add(token.content)
            missing.append(token)
    backend.add_tokens(missing)


def _reported(call: Any, *arguments: Any, **options: Any) -> Any:
    """Whatever a template raises, as a LoadError: it is a program of the checkpoint's authors."""
    try:
        return call(*arguments, **options)
    except Exception as error:
        raise LoadError(f"This checkpoint's chat template cannot be rendered: {error}.") from error
