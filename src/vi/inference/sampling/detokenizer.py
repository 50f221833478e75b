"""Token ids to text, one at a time, never half a character."""

from __future__ import annotations

from typing import Any

LONGEST_CHARACTER = 4  # bytes of a UTF-8 character, so tokens that can share one
LONGEST_WAIT = 64  # tokens; a longer run without one whole character is not text
UNFINISHED = "\ufffd"  # what decoders put for bytes that are not (yet) a character


class Detokenizer:
    """Incremental decoding of one request: pushes and the flush join to what ``decode`` gives for all ids at once.

    tokenizer: a ``tokenizers.Tokenizer`` or any transformers tokenizer. Special tokens give no text.
    A few of the last tokens are decoded anew with each push (their neighbours decide on spaces and on characters
    that span tokens), so the cost of a push does not grow with the text.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)
        self._silent = _special_ids(self._tokenizer)
        self._ids: list[int] = []  # released tokens that give context, then those that wait
        self._waiting = 0  # index in _ids of the first token whose text is not released

    def push(self, token_id: int) -> str:
        """The text that this token completes; empty while a character is unfinished."""
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
        """The text still held back, with a replacement character for bytes that never became one."""
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


def _special_ids(tokenizer: Any) -> frozenset[int]:
    if hasattr(tokenizer, "get_added_tokens_decoder"):
        return frozenset(i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special)
    return frozenset(tokenizer.all_special_ids)
