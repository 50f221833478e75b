"""One request's place in a grammar: which tokens may come next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from copy import copy
from typing import Any

import llguidance.numpy
import numpy as np
from llguidance import LLMatcher, LLTokenizer

from vi.inference.errors import InferenceError, LoadError, SchemaError
from vi.inference.structured.grammar import Grammar

CACHED_GRAMMARS = 64


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
        self._compiled: OrderedDict[Grammar, LLMatcher] = OrderedDict()
        self._lock = threading.Lock()

    def matcher(self, grammar: Grammar) -> LLMatcher:
        """A matcher at the grammar's beginning, the caller's own. Raises SchemaError where it does not compile."""
        with self._lock:
            compiled = self._compiled.get(grammar)
            if compiled is not None:
                self._compiled.move_to_end(grammar)
                return compiled.deep_copy()
        compiled = LLMatcher(self.tokenizer, grammar.text, log_level=0)  # outside the lock: may take a second
        if compiled.is_error():
            raise SchemaError(f"This grammar cannot be enforced: {_first_line(compiled)}")
        with self._lock:
            self._compiled[grammar] = compiled
            if len(self._compiled) > CACHED_GRAMMARS:
                self._compiled.popitem(last=False)
            return compiled.deep_copy()


class Constraint:
    """One request's walk through a grammar. Not shared between threads."""

    def __init__(self, grammar: Grammar, tables: TokenizerTables) -> None:
        self._tables = tables
        self._matcher = tables.matcher(grammar)
        self._ended = False  # an end-of-text token was taken

    def allowed(self) -> np.ndarray:
        """Bool [V]: the tokens that may come next; an end-of-text token exactly where the grammar may end.

        Where only one text can follow, only the tokens that the tokenizer itself would spell it with are allowed.
        Raises InferenceError where none may, or where the grammar grew past the library's limits.
        """
        bits = llguidance.numpy.allocate_token_bitmask(1, self._tables.tokenizer.vocab_size)
        llguidance.numpy.fill_next_token_bitmask(self._matcher, bits)
        self._raise_if_failed()
        flags = np.unpackbits(bits.view(np.uint8)[0], bitorder="little")[: self._tables.tokenizer.vocab_size]
        allowed = np.zeros(self._tables.vocab_size, dtype=bool)
        count = min(len(allowed), len(flags))
        allowed[:count] = flags[:count]
        if not allowed.any():
            raise InferenceError(
                "The grammar allows no token here.", "The schema may need text that this vocabulary cannot spell."
            )
        return allowed

    def advance(self, token_id: int) -> None:
        """Take one token, also one that spells a text of the grammar otherwise than ``allowed`` would have it.

        Raises InferenceError where the grammar has no such text; the walk then stays as it was.
        """
        self._raise_if_failed()
        if self._ended or not self._take(token_id):
            self._raise_if_failed()
            raise InferenceError(
                f"Token {token_id} is not allowed by the grammar here.", "Choose among the tokens of allowed()."
            )

    def _take(self, token_id: int) -> bool:
        if token_id in self._tables.eos_token_ids:
            self._ended = self._matcher.is_accepting() and self._matcher.consume_token(token_id)
            return self._ended
        known = 0 <= token_id < self._tables.tokenizer.vocab_size
        return known and self._matcher.try_consume_tokens([token_id]) == 1  # unlike consume_token, undone if refused

    @property
    def done(self) -> bool:
        """Whether the grammar is complete, so that only an end-of-text token may follow."""
        return self._matcher.is_stopped() and self._matcher.is_accepting() and not self._matcher.is_error()

    def _raise_if_failed(self) -> None:
        if self._matcher.is_error():
            raise InferenceError(
                f"The grammar could not be followed further: {_first_line(self._matcher)}",
                "A simpler schema, or smaller bounds in it, may help.",
            )


def _eos_token_ids(tokenizer: Any, given: int | Iterable[int] | None) -> list[int]:
    if given is None:
        given = getattr(tokenizer, "eos_token_id", None)
    if given is None:
        raise LoadError("The tokenizer names no end-of-text token.", "Pass eos_token_ids.")
    ids = [given] if isinstance(given, int) else list(given)
    if not ids:
        raise LoadError("eos_token_ids is empty.", "Pass at least one id.")
    return ids


def _first_line(matcher: LLMatcher) -> str:
    return matcher.get_error().strip().split("\n", 1)[0]
