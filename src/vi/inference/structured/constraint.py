"""One request's place in a grammar: which tokens may come next, and which must."""

from __future__ import annotations

import numpy as np
from llguidance import LLMatcher
from llguidance.numpy import fill_next_token_bitmask, get_bitmask_shape

from vi.inference.errors import InferenceError, SchemaError
from vi.inference.structured.budget import Budget
from vi.inference.structured.grammar import Grammar
from vi.inference.structured.options import OptionWalk
from vi.inference.structured.tables import CACHED_GRAMMARS, TokenizerTables

__all__ = ["CACHED_GRAMMARS", "Constraint", "TokenizerTables"]


class Constraint:
    """One request's walk through a grammar. Not shared between threads.

    squeezed: whether the budget, and not the model, decided how the text went on.
    """

    def __init__(self, grammar: Grammar, tables: TokenizerTables) -> None:
        compiled = tables.compile(grammar)
        self._grammar = grammar
        self._tables = tables
        self._walk = compiled.tokens.deep_copy()
        self._behind: list[int] = []  # tokens of a free text that the walk has not taken yet
        self._budget = Budget(grammar, compiled, tables, lambda: self._matcher)
        self._ended = False  # an end-of-text token was taken
        self._tokens_left: int | None = None
        self._withheld: tuple[np.ndarray, np.ndarray] | None = None  # bool [V]: what the grammar allows, and the budget
        self._free: np.ndarray | None = None  # what may come in the free text at hand, token after token
        self._bits = np.empty(get_bitmask_shape(1, tables.tokenizer.vocab_size), dtype=np.int32)
        self.squeezed = False

    def allowed(self, tokens_left: int | None = None) -> np.ndarray:
        """Bool [V]: the tokens that may come next; an end-of-text token exactly where the grammar may end.

        tokens_left: how many tokens may still be written, this one among them. As they come near to what the shortest
        ending takes, tokens behind which no ending would fit are left out, and at last that ending alone is left; so
        whoever begins with ``min_tokens()`` or more ends with a complete text. None sets no bound.
        Where only one text can follow, only the tokens that the tokenizer itself would spell it with are allowed.
        The array is not to be written into: where it is the same for many tokens or requests, it is one array.
        Raises InferenceError where none may, or where the grammar grew past the library's limits.
        """
        allowed = self._free
        if allowed is None:
            allowed = self._allowed_by_grammar()
            self._free = self._budget.repeats(allowed)
            allowed = allowed if self._free is None else self._free
        self._tokens_left, self._withheld = tokens_left, None
        if tokens_left is None or self._ended or self._budget.far(tokens_left):
            return allowed
        narrowed = self._budget.narrow(allowed, tokens_left)
        if narrowed is not allowed:
            self._withheld = (allowed, narrowed)
        return narrowed

    def goes_on(self, token_id: int) -> bool:
        """Whether just the same may come behind this token, so that it ends nothing and forces nothing."""
        return self._free is not None and self._budget.goes_on(token_id)

    def min_tokens(self) -> int:
        """Tokens of the shortest ending from here, without an end-of-text token; 0 where the text may end.

        At the beginning: the least ``max_new_tokens`` that gives a complete text. Raises SchemaError where there is no
        ending.
        """
        return 0 if self._ended else len(self._budget.ending())

    def ending(self) -> list[int]:
        """Tokens of the shortest way from here to a complete text. Raises SchemaError where there is none."""
        return [] if self._ended else list(self._budget.ending())

    def require_room(self, tokens: int) -> None:
        """Raise SchemaError, with the number that is needed, where no complete text fits into so many tokens."""
        if not self._budget.far(tokens) and (needed := self.min_tokens()) > tokens:
            raise SchemaError(
                f"max_new_tokens={tokens} is too small: an answer of this form takes at least {needed} tokens.",
                f"Set max_new_tokens to {needed} or more.",
            )

    def forced(self) -> list[int]:
        """The tokens that come next whatever the model says, as the tokenizer spells them; often none.

        None are given where the budget of the last ``allowed(tokens_left)`` is so near its end that another spelling
        may have to be taken.
        """
        if self._free is not None or self._ended or self._matcher.is_stopped():
            return []
        forced = self._matcher.compute_ff_tokens()
        self._raise_if_failed()
        left = self._tokens_left
        if forced and left is not None and not self._budget.far(left):
            ending = self._budget.ending()
            if ending[: len(forced)] != forced and len(ending) + len(forced) > left:
                return []
        return forced

    def advance(self, token_id: int, preferred: int | None = None) -> None:
        """Take one token, also one that spells a text of the grammar otherwise than ``allowed`` would have it.

        preferred: the token that would have been taken had the budget no say, where that is known; without it
        ``squeezed`` counts what may well have been wanted, a further item for one. Raises InferenceError where the
        grammar has no such text; the walk then stays as it was.
        """
        if self.goes_on(token_id):
            self._behind.append(token_id)
            self._budget.follow(token_id)
        else:
            self._raise_if_failed()
            if self._ended or not self._take(token_id):
                self._raise_if_failed()
                raise InferenceError(
                    f"Token {token_id} is not allowed by the grammar here.", "Choose among the tokens of allowed()."
                )
        if self._withheld is not None:
            allowed, narrowed = self._withheld
            withheld = preferred is not None and bool(allowed[preferred] and not narrowed[preferred])
            self.squeezed |= self._budget.decisive if preferred is None else withheld
        self._withheld = None
        if self._tokens_left is not None:
            self._tokens_left -= 1

    def _take(self, token_id: int) -> bool:
        if token_id in self._tables.eos_token_ids:
            self._ended = self._matcher.is_accepting() and self._matcher.consume_token(token_id)
            return self._ended
        known = 0 <= token_id < self._tables.tokenizer.vocab_size
        if (
            not known or not self._budget.permits(token_id) or self._matcher.try_consume_tokens([token_id]) < 1
        ):  # unlike consume_token, undone if refused
            return False
        self._budget.follow(token_id)
        self._free = None
        return True

    @property
    def _matcher(self) -> LLMatcher:
        """The walk, with all tokens taken: what follows a free text is all that many of them decide."""
        if self._behind:
            behind, self._behind = self._behind, []
            self._walk.consume_tokens(behind)
        return self._walk

    @property
    def done(self) -> bool:
        """Whether the grammar is complete, so that only an end-of-text token may follow."""
        if self._free is not None:
            return False
        return self._matcher.is_stopped() and self._matcher.is_accepting() and not self._matcher.is_error()

    @property
    def withheld(self) -> np.ndarray | None:
        """Bool [V]: what the budget alone forbids at this step; None is nothing."""
        if self._withheld is None:
            return None
        allowed, narrowed = self._withheld
        return allowed & ~narrowed

    def options(self) -> OptionWalk | None:
        """A walk past the parts that are one of a few; None where the grammar has none."""
        return OptionWalk(self._grammar, self._tables.spelling) if self._grammar.finite is not None else None

    @property
    def in_groundings(self) -> bool:
        """Whether phrases and boxes are being written."""
        return self._budget.in_groundings

    def _allowed_by_grammar(self) -> np.ndarray:
        known = self._tables.tokenizer.vocab_size
        fill_next_token_bitmask(self._matcher, self._bits)
        self._raise_if_failed()
        allowed = np.zeros(self._tables.vocab_size, dtype=bool)
        flags = np.unpackbits(self._bits.view(np.uint8)[0], count=min(known, len(allowed)), bitorder="little")
        allowed[: len(flags)] = flags
        allowed = self._budget.within_rule(allowed)
        if not allowed.any():
            raise InferenceError(
                "The grammar allows no token here.", "The schema may need text that this vocabulary cannot spell."
            )
        return allowed

    def _raise_if_failed(self) -> None:
        if self._matcher.is_error():
            reason = self._matcher.get_error().strip().split("\n", 1)[0]
            raise InferenceError(
                f"The grammar could not be followed further: {reason}",
                "A simpler schema, or smaller bounds in it, may help.",
            )
