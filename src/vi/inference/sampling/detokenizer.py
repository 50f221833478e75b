"""Token ids to text, one at a time, never half a character."""

from __future__ import annotations

import codecs
from typing import Any, Protocol

from tokenizers.decoders import ByteLevel

LONGEST_CHARACTER = 4  # bytes of a UTF-8 character, so tokens that can share one
LONGEST_WAIT = 64  # tokens; a longer run without one whole character is not text
UNFINISHED = "\ufffd"  # what decoders put for bytes that are not (yet) a character


class Incremental(Protocol):
    """Decodes one request: pushes and the flush join to what ``decode`` gives for all ids at once."""

    def push(self, token_id: int) -> str:
        """The text that this token completes; empty while a character is unfinished."""
        ...

    def flush(self) -> str:
        """The text still held back, with a replacement character for bytes that never became one."""
        ...


class Detokenizer:
    """Incremental decoding by any tokenizer; see ``Incremental``.

    tokenizer: a ``tokenizers.Tokenizer`` or any transformers tokenizer. Special tokens give no text.
    A few of the last tokens are decoded anew with each push (their neighbours decide on spaces and on characters
    that span tokens), so the cost of a push does not grow with the text.
    """

    def __init__(self, tokenizer: Any, silent: frozenset[int] | None = None) -> None:
        self._tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)
        self._silent = special_ids(self._tokenizer) if silent is None else silent
        self._ids: list[int] = []  # released tokens that give context, then those that wait
        self._waiting = 0  # index in _ids of the first token whose text is not released

    def push(self, token_id: int) -> str:
        if token_id in self._silent:
            return ""
        self._ids.append(token_id)
        text = self._text(len(self._ids))
        if text and not text.endswith(UNFINISHED):
            return self._release(len(self._ids), text)
        if len(self._ids) - self._waiting > LONGEST_WAIT:  # let them go, but for those that may begin a character
            settled = len(self._ids) - LONGEST_CHARACTER
            early = self._text(settled)
            if early and text.startswith(early):
                return self._release(settled, early)
        return ""

    def flush(self) -> str:
        return self._release(len(self._ids), self._text(len(self._ids)))

    def _text(self, end: int) -> str:
        """Text of the waiting tokens up to ``end``, decoded behind the released ones before them."""
        known = self._decode(self._ids[: self._waiting])
        whole = self._decode(self._ids[:end])
        if whole.startswith(known):
            return whole[len(known) :]
        return self._decode(self._ids[self._waiting : end])  # an unfinished tail that a decoder lets undo the context

    def _release(self, end: int, text: str) -> str:
        self._ids = self._ids[self._waiting :]  # what was just released is the context of what follows
        self._waiting = end - self._waiting
        return text

    def _decode(self, ids: list[int]) -> str:
        return self._tokenizer.decode(ids, skip_special_tokens=True) if ids else ""


class TokenTexts:
    """What every request's decoding shares, once a model.

    tokenizer: as of ``Detokenizer``. Where it is a byte-level one, a token is the same bytes wherever it stands, and
    is looked up.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)
        self._silent = special_ids(self._tokenizer)
        self._spelled: dict[int, bytes] = {}
        self._whole: dict[int, str] = {}
        self._byte_level = isinstance(getattr(self._tokenizer, "decoder", None), ByteLevel)

    def detokenizer(self) -> Incremental:
        """A fresh one, for one request."""
        return ByteDetokenizer(self) if self._byte_level else Detokenizer(self._tokenizer, self._silent)

    def whole(self, token_id: int) -> str:
        """The text of a byte-level token that neither ends nor begins within a character; empty for others."""
        text = self._whole.get(token_id)
        if text is None:
            text = self.spelled(token_id).decode(errors="ignore")
            text = self._whole[token_id] = text if text.encode() == self.spelled(token_id) else ""
        return text

    def spelled(self, token_id: int) -> bytes:
        """The bytes of a byte-level token; none for special tokens and ids without a token."""
        spelled = self._spelled.get(token_id)
        if spelled is None:
            spelled = self._spelled[token_id] = self._spell(token_id)
        return spelled

    def _spell(self, token_id: int) -> bytes:
        token = None if token_id in self._silent else self._tokenizer.id_to_token(token_id)
        if token is None:
            return b""
        try:
            return bytes(_BYTE_OF[character] for character in token)
        except KeyError:  # an added token, which stands as it is
            return token.encode()


class ByteDetokenizer:
    """Incremental decoding by a byte-level tokenizer; see ``Incremental``."""

    def __init__(self, texts: TokenTexts) -> None:
        self._texts = texts
        self._open = False  # whether the last token has begun a character
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_id: int) -> str:
        if not self._open and (text := self._texts.whole(token_id)):
            return text
        text = self._decoder.decode(self._texts.spelled(token_id))
        self._open = bool(self._decoder.getstate()[0])
        return text

    def flush(self) -> str:
        return self._decoder.decode(b"", final=True)


def special_ids(tokenizer: Any) -> frozenset[int]:
    """The tokens that give no text."""
    if hasattr(tokenizer, "get_added_tokens_decoder"):
        return frozenset(i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special)
    return frozenset(tokenizer.all_special_ids)


def _byte_of() -> dict[str, int]:
    """Byte-level tokenizers (GPT-2, Radford et al. 2019) write a printable byte as itself, others as 256 and up."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


_BYTE_OF = _byte_of()
