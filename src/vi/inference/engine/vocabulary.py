"""What a model's tokens are: which end an answer, which may never be chosen, and how they spell."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from vi.inference.sampling.detokenizer import TokenTexts
from vi.inference.structured.constraint import Constraint, TokenizerTables

if TYPE_CHECKING:
    from vi.inference.loading.loader import LoadedModel
    from vi.inference.structured.grammar import Grammar


class Vocabulary:
    """The facts about one model's tokens that every request shares.

    banned: bool [V], tokens that are never chosen and never penalised: media placeholders, padding, and ids without a
    token. A token that ends an answer is never among them, also where it pads.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.tokenizer: Any = loaded.tokenizer
        self.texts = TokenTexts(self.tokenizer)
        self.size = loaded.vocab_size
        self.eos_token_ids = frozenset(loaded.eos_token_ids)
        unused = set(range(self.size)) - set(self.tokenizer.get_vocab().values())
        media = {token_id for token_id in loaded.media_token_ids if token_id < self.size}
        self.banned_ids = sorted((unused | media) - self.eos_token_ids)
        self.banned = np.zeros(self.size, dtype=bool)
        self.banned[self.banned_ids] = True
        self._tables: TokenizerTables | None = None
        self._building = threading.Lock()

    def constrain(self, grammar: Grammar) -> Constraint:
        """A fresh constraint for one request. The tables behind it are built once, when the first grammar comes."""
        with self._building:
            if self._tables is None:
                self._tables = TokenizerTables(self.tokenizer, self.size, self.eos_token_ids)
        return Constraint(grammar, self._tables)

    def spell(self, token_id: int) -> str:
        """The text of one token; a part of a character shows as U+FFFD."""
        return self.tokenizer.decode([token_id])
