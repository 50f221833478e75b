"""Token ids of a template's text with a user's words in it: cut at the template's special tokens, plain in between."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator

from tokenizers import AddedToken, Tokenizer

from vi.inference.preprocess.tokenizer import ChatTokenizer

# Unicode's White_Space, which tokenizers go by; Python's own \s has four control characters more.
SPACE = r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*"


class PlainText:
    """Encodes the text between special tokens as the checkpoint's tokenizer does, but finds no special token in it.

    So ``<|im_end|>`` in what a user writes is ten ordinary characters. White space that the vocabulary has as tokens of
    its own (Gemma's runs of newlines) is still found. Any number of threads may use one at once.
    """

    def __init__(self, tokenizer: ChatTokenizer) -> None:
        added = tokenizer.added_tokens_decoder
        self._special_ids = {token.content: token_id for token_id, token in added.items()}
        self._special = _pattern(added.values())
        self._anchor = f"\ue002{secrets.token_hex(8)}\ue002"  # no text can hold it by chance or on purpose
        self._plain = _without_special_tokens(tokenizer.backend_tokenizer, self._anchor)

    def cut(self, template: str) -> Iterator[int | str]:
        """Ids of special tokens and the texts between them, in order, without white space that the tokens swallow."""
        for index, piece in enumerate(self._special.split(template)):
            if index % 2:  # the pattern's only group: a special token
                yield self._special_ids[piece if piece in self._special_ids else piece.strip()]
            elif piece:
                yield piece

    def encode(self, text: str, *, first: bool) -> list[int]:
        """Token ids of a text that begins the prompt, or stands behind a special token."""
        if first:
            return self._plain.encode(text, add_special_tokens=False).ids
        return self._plain.encode(self._anchor + text, add_special_tokens=False).ids[1:]


def _pattern(added_tokens: Iterable[AddedToken]) -> re.Pattern[str]:
    """Matches an added token, the longest first, with the white space that it swallows."""
    tokens = sorted(added_tokens, key=lambda token: -len(token.content))
    left_right = [
        (SPACE if token.lstrip else "") + re.escape(token.content) + (SPACE if token.rstrip else "")
        for token in tokens
        if not _is_space(token)
    ]
    return re.compile(f"({'|'.join(left_right) or '(?!)'})")


def _without_special_tokens(backend: Tokenizer, anchor: str) -> Tokenizer:
    """A tokenizer over the same vocabulary. anchor: a special token of its own, for texts that do not begin a prompt.

    The word boundary that some tokenizers put before a text goes before the first one only.
    """
    plain = Tokenizer(backend.model)
    if backend.normalizer is not None:
        plain.normalizer = backend.normalizer
    if backend.pre_tokenizer is not None:
        plain.pre_tokenizer = backend.pre_tokenizer
    spaces = [
        token
        for token_id, token in backend.get_added_tokens_decoder().items()
        if _is_space(token) and plain.token_to_id(token.content) == token_id  # else it would get another id here
    ]
    plain.add_tokens(spaces)
    plain.add_special_tokens([AddedToken(anchor, normalized=False)])
    return plain


def _is_space(token: AddedToken) -> bool:
    return not token.special and token.content.isspace()
