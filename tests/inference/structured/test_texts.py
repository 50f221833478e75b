from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.families import byte_level_tokenizer

from vi.inference.structured.constraint import Constraint, TokenizerTables
from vi.inference.structured.grammar import json_grammar

EOS = 0
TABLES = TokenizerTables(byte_level_tokenizer(["<eos>"]), eos_token_ids=[EOS])
TEXT = {"type": "string"}


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


SCHEMAS = [
    closed(a=TEXT),
    closed(a=TEXT, b={"type": "integer"}),
    closed(a={"type": "string", "minLength": 3, "maxLength": 9}, b=TEXT),
    {"type": "array", "items": closed(a=TEXT, b={"type": "string", "maxLength": 4}), "minItems": 2, "maxItems": 4},
    {"type": "object", "additionalProperties": TEXT},
    {"anyOf": [closed(kind={"const": "long"}, x=closed(y=TEXT, z=TEXT)), closed(kind=TEXT)]},
]


class Walk:
    """A walk of random tokens within a budget to the end of a grammar. known: whether texts are kept."""

    def __init__(self, grammar, seed, spare, known=True):
        self.grammar, self.dice = grammar, np.random.default_rng(seed)
        self.constraint = Constraint(grammar, TABLES)
        self.constraint._budget._even &= known
        self.left, self.taken, self.masks = self.constraint.min_tokens() + spare, [], []

    def steps(self):
        """Its mask, step by step, down to a complete text."""
        while not self.constraint.done and self.left:
            allowed = self.constraint.allowed(self.left)
            self.masks.append(allowed)
            yield allowed
            plain = allowed & TABLES.plain
            from_ids = np.flatnonzero(plain if plain.any() and self.dice.random() < 0.8 else allowed)
            token_id = int(self.dice.choice(from_ids))
            if token_id == EOS:
                break
            self.constraint.advance(token_id)
            self.taken.append(token_id)
            self.left -= 1
        assert self.constraint.min_tokens() == 0

    def needs(self, token_id):
        """Tokens of the shortest text that goes on with this one."""
        fresh = Constraint(self.grammar, TABLES)
        for taken in [*self.taken, token_id]:
            fresh.advance(taken)
        return 1 + fresh.min_tokens()


def walked(grammar, seed, spare):
    walk = Walk(grammar, seed, spare)
    return [*walk.steps()]


@pytest.mark.parametrize("number", range(len(SCHEMAS)))
@given(seed=st.integers(0, 10_000), spare=st.integers(0, 30))
@settings(max_examples=20, deadline=None)
def test_what_is_kept_of_a_text_allows_what_a_fresh_look_at_every_token_does_and_nothing_that_does_not_fit(
    number, seed, spare
):
    grammar = json_grammar(SCHEMAS[number])
    fresh = Walk(grammar, seed, spare, known=False)
    for expected in fresh.steps():
        kept = Constraint(grammar, TABLES)
        for taken in fresh.taken:
            kept.allowed(1000)
            kept.advance(taken)
        allowed = kept.allowed(fresh.left)
        assert not (expected & ~allowed).any()
        for token_id in np.flatnonzero(allowed & ~expected)[:4]:
            assert fresh.needs(int(token_id)) <= fresh.left
    for _ in Walk(grammar, seed, spare).steps():
        pass


def test_a_request_learns_from_those_before_it_what_it_would_have_found_itself():
    grammar = json_grammar(closed(a=TEXT, b=TEXT))
    first = [walked(grammar, seed, seed % 7) for seed in range(20)]
    TABLES.compile(grammar).texts._known.clear()
    again = [walked(grammar, seed, seed % 7) for seed in reversed(range(20))]
    for one, other in zip(first, reversed(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_texts_of_a_grammar_are_bounded():
    grammar = json_grammar({"type": "array", "items": TEXT, "maxItems": 9})
    for seed in range(200):
        walked(grammar, seed, 12)
    assert 0 < len(TABLES.compile(grammar).texts) <= (1 << 20) // TABLES.vocab_size


ROOMS = [
    closed(a=TEXT, b=TEXT),
    closed(a={"type": "string", "maxLength": 60}, b={"type": "string", "minLength": 5}),
    {"type": "array", "items": {"type": "string", "minLength": 2, "maxLength": 40}, "minItems": 1, "maxItems": 3},
]


@pytest.mark.parametrize("number", range(len(ROOMS)))
@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_mask_that_is_kept_within_a_text_is_the_one_a_fresh_look_gives(number, seed):
    dice, grammar = np.random.default_rng(seed), json_grammar(ROOMS[number])
    keeping, looking = Constraint(grammar, TABLES), Constraint(grammar, TABLES)
    looking._budget._even = False
    for _ in range(150):
        allowed, last = keeping.allowed(), keeping._free
        np.testing.assert_array_equal(allowed, looking.allowed())
        plain = np.flatnonzero(allowed & TABLES.within_string)
        token_id = int(dice.choice(plain if len(plain) and dice.random() < 0.97 else np.flatnonzero(allowed)))
        same = keeping.goes_on(token_id)
        if token_id == EOS:
            break
        keeping.advance(token_id)
        looking.advance(token_id)
        assert keeping.forced() == looking.forced()
        assert same == (keeping._free is last and last is not None)


def test_all_places_and_requests_within_a_text_share_one_mask():
    grammar = json_grammar(ROOMS[0])
    masks = []
    for text in ("aaaa", "bb"):
        constraint = Constraint(grammar, TABLES)
        for token_id in TABLES.tokenizer.tokenize_str('{"a":"'):
            constraint.advance(token_id)
        for token_id in TABLES.tokenizer.tokenize_str(text):
            masks.append(constraint.allowed())
            constraint.advance(token_id)
    assert all(mask is masks[0] for mask in masks)
    assert not masks[-1].flags.writeable
