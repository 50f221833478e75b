"""What grammars need of a tokenizer, and the grammars compiled for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer

from vi.inference.errors import LoadError, SchemaError
from vi.inference.structured.frames import Piece
from vi.inference.structured.grammar import Grammar
from vi.inference.structured.shortest import Ending, byte_tokenizer
from vi.inference.structured.texts import Texts

CACHED_GRAMMARS = 64
# Room for objects of thousands of optional fields, of which any may be the next; the library's own hold some hundreds.
LIMITS = LLParserLimits(max_items_in_row=100_000, step_max_items=5_000_000, step_lexer_fuel=5_000_000)


@dataclass(frozen=True)
class Compiled:
    """One grammar for one tokenizer. Matchers are copied, never walked.

    tokens, bytes: at its beginning, over the tokenizer's tokens and over single bytes. frame: the most tokens that one
    part of a document, once begun, can still demand; None where that is not known. texts: what is known of its strings.
    """

    tokens: LLMatcher
    bytes: LLMatcher
    ending: Ending
    frame: int | None
    texts: Texts
    first: list[int] = field(default_factory=list)  # the shortest ending from the beginning, once it was looked for


class TokenizerTables:
    """What grammars need of a tokenizer, built once a model and shared by its requests; safe to use from any thread.

    tokenizer: a ``tokenizers.Tokenizer`` or a fast transformers tokenizer. vocab_size: length of the model's logits
    where that is not the tokenizer's own; ids that the tokenizer lacks are never allowed. eos_token_ids: the ids that
    end a text, by default the tokenizer's ``eos_token_id``. Raises LoadError where grammars cannot work with it.
    """

    def __init__(
        self, tokenizer: Any, vocab_size: int | None = None, eos_token_ids: int | Iterable[int] | None = None
    ) -> None:
        self.eos_token_ids = _eos_token_ids(tokenizer, eos_token_ids)
        backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
        if not hasattr(backend, "to_str"):
            raise LoadError(
                f"{type(tokenizer).__name__} cannot be used for structured output: it has no fast tokenizer.",
                "Load the checkpoint's tokenizer.json (a fast tokenizer).",
            )
        try:
            plain = copy(backend)  # the copy alone loses its padding and truncation
            plain.no_padding()
            plain.no_truncation()
            self.tokenizer = LLTokenizer(plain.to_str(), eos_token=self.eos_token_ids)
        except Exception as error:  # the library raises its own kinds, from bare ValueError up
            raise LoadError(f"This tokenizer cannot be used for structured output: {error}.") from error
        self.vocab_size = self.tokenizer.vocab_size if vocab_size is None else vocab_size
        self._bytes = byte_tokenizer()
        self._compiled: OrderedDict[Grammar, Compiled] = OrderedDict()
        self._lock = threading.Lock()

    def compile(self, grammar: Grammar) -> Compiled:
        """The grammar for this tokenizer, compiled once. Raises SchemaError where it does not work."""
        with self._lock:
            compiled = self._compiled.get(grammar)
            if compiled is not None:
                self._compiled.move_to_end(grammar)
                return compiled
        compiled = self._build(grammar)  # outside the lock: may take a second
        with self._lock:
            self._compiled[grammar] = compiled
            if len(self._compiled) > CACHED_GRAMMARS:
                self._compiled.popitem(last=False)
        return compiled

    def _build(self, grammar: Grammar) -> Compiled:
        tokens = LLMatcher(self.tokenizer, grammar.text, log_level=0, limits=LIMITS)
        if tokens.is_error():
            raise SchemaError(f"This grammar cannot be enforced: {tokens.get_error().strip().splitlines()[0]}")
        pieces = grammar.frames.heaviest
        return Compiled(
            tokens=tokens,
            bytes=LLMatcher(self._bytes, grammar.text, log_level=0, limits=LIMITS),
            ending=Ending(grammar.frames.required, grammar.frames.samples),
            frame=max(map(self._num_tokens, pieces)) if pieces else None,
            texts=Texts(self.vocab_size),
        )

    def _num_tokens(self, piece: Piece) -> int:
        return len(self.tokenizer.tokenize_str(piece.text)) + piece.loose + 1  # one more where two parts meet

    def spelling(self, token_id: int) -> bytes:
        """The bytes of one token; none for special tokens and ids that are not known."""
        if not 0 <= token_id < self.tokenizer.vocab_size or self.tokenizer.is_special_token(token_id):
            return b""
        return self.tokenizer.decode_bytes([token_id])

    def tokens_of(self, text: bytes) -> list[int] | None:
        """Tokens that spell ``text``, which may begin within a character; None where the vocabulary cannot."""
        inside = next((n for n, byte in enumerate(text) if byte & 0xC0 != 0x80), len(text))
        ids = self.tokenizer.tokenize_bytes(text[:inside]) + self.tokenizer.tokenize_bytes(text[inside:])
        return ids if self.tokenizer.decode_bytes(ids) == text else None

    @cached_property
    def spellings(self) -> list[bytes]:
        """The bytes of every token, by id."""
        return [self.spelling(token_id) for token_id in range(self.vocab_size)]

    @cached_property
    def ids(self) -> dict[bytes, list[int]]:
        """The tokens of a spelling."""
        found: dict[bytes, list[int]] = {}
        for token_id, spelling in enumerate(self.spellings):
            found.setdefault(spelling, []).append(token_id)
        return found

    @cached_property
    def quoting(self) -> np.ndarray:
        """Bool [V]: tokens with a quote in them."""
        return np.array([b'"' in spelling for spelling in self.spellings], dtype=bool)

    @cached_property
    def openers(self) -> np.ndarray:
        """int [V]: how many containers a token may open at most."""
        counts = [spelling.count(b"{") + spelling.count(b"[") for spelling in self.spellings]
        return np.array(counts, dtype=np.int64)

    @cached_property
    def most_openers(self) -> int:
        """The most containers that one token may open."""
        return int(self.openers.max())

    @cached_property
    def plain(self) -> np.ndarray:
        """Bool [V]: tokens of whole characters that a JSON string can hold as they are, without ``<`` and ``>``."""
        return np.array([_is_plain(spelling) for spelling in self.spellings], dtype=bool)

    @cached_property
    def within_string(self) -> np.ndarray:
        """Bool [V]: tokens of whole characters that a JSON string can hold as they are."""
        return np.array([_is_plain(spelling, but=b'"\\') for spelling in self.spellings], dtype=bool)

    @cached_property
    def longest(self) -> int:
        """Bytes of the longest token."""
        return max(map(len, self.spellings))

    @cached_property
    def printable(self) -> np.ndarray:
        """Int [C]: ids of the one-character tokens of plain ASCII, those the vocabulary has."""
        return np.array([i for i, s in enumerate(self.spellings) if len(s) == 1 and _is_plain(s)], dtype=np.int64)

    @cached_property
    def in_free_text(self) -> np.ndarray:
        """Int [C + 1]: ``printable`` and a quote, all of them allowed in a free text that may close; [0] without."""
        quotes = self.ids.get(b'"', [])
        return np.array([*self.printable, *quotes[:1]] if quotes and len(self.printable) else [], dtype=np.int64)


def _is_plain(spelling: bytes, but: bytes = b'"\\<>') -> bool:
    if not spelling or any(byte < 32 or byte == 127 or byte in but for byte in spelling):
        return False
    try:
        spelling.decode()
    except UnicodeDecodeError:
        return False
    return True


def _eos_token_ids(tokenizer: Any, given: int | Iterable[int] | None) -> list[int]:
    if given is None:
        given = getattr(tokenizer, "eos_token_id", None)
    if given is None:
        raise LoadError("The tokenizer names no end-of-text token.", "Pass eos_token_ids.")
    ids = [given] if isinstance(given, int) else list(given)
    if not ids:
        raise LoadError("eos_token_ids is empty.", "Pass at least one id.")
    return ids
