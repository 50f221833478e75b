"""Probabilities of options, against the model asked about every spelling of every option."""

from __future__ import annotations

import json
from collections import defaultdict
from enum import Enum
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.inference.engine.engines import PLENTY, ask, engine
from tests.inference.engine.mixes import alone, the_vocabulary, whole

from vi.inference.structured.grammar import choice_grammar, json_grammar, think_grammar
from vi.inference.structured.options import Finite
from vi.inference.task_types.wire import closed_schema


class Colour(Enum):
    red = "red"
    green = "green"


class Part(BaseModel):
    kind: Literal["nut", "gear", "washer"]
    colour: Colour | None
    size: Literal[1, 12, 3]
    sound: bool
    note: str
    more: list[Colour]


def brute_force(grammar, request):
    """Probability of each text of a grammar, where the model chooses among what it allows at temperature 1."""
    found = defaultdict(float)
    level = [((), 1.0)]
    while level:
        following = []
        for tokens, mass in level:
            constraint = the_vocabulary().constrain(grammar)
            for token_id in tokens:
                constraint.advance(token_id)
            if constraint.done:
                found[the_vocabulary().tokenizer.decode(list(tokens))] += mass
                continue
            ids = np.flatnonzero(constraint.allowed())
            logits = whole(request.prompt, tokens)[0, ids].astype(np.float64)
            shares = np.exp(logits - logits.max())
            for token_id, share in zip(ids.tolist(), shares / shares.sum(), strict=True):
                if token_id in the_vocabulary().eos_token_ids:
                    found[the_vocabulary().tokenizer.decode(list(tokens))] += mass * share
                else:
                    following.append(((*tokens, token_id), mass * share))
        level = following
    return dict(found)


FORMS = {
    "choices": (choice_grammar(["nut", "a gear", "washer"]), ["nut", "a gear", "washer"]),
    "enum": (json_grammar({"enum": ["nut", "a gear", "washer", 7]}), ["nut", "a gear", "washer", "7"]),
    "boolean": (json_grammar({"type": "boolean"}), ["true", "false"]),
    "nullable": (json_grammar({"anyOf": [{"enum": ["up", "down"]}, {"type": "null"}]}), ["up", "down", "null"]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_options_have_exactly_the_models_probabilities_but_those_that_went_on_together_untaken(form, seed):
    grammar, names = FORMS[form]
    request = ask(words=seed, grammar=grammar, do_sample=True, temperature=1.7, top_k=3, seed=seed)
    oracle = brute_force(grammar, request)
    completion = alone(request).completion()
    told = completion.probabilities[""]
    assert list(told) == names
    oracle = {name: oracle.get(name, oracle.get(f'"{name}"')) for name in names}
    assert completion.text.strip('"') in told
    if form in ("enum", "nullable") and not completion.text.startswith('"'):  # all texts begin with the same quote
        told, oracle = ({name: options[name] for name in names[-1:]} for options in (told, oracle))
    assert told == pytest.approx(oracle, abs=1e-9)


@given(st.integers(0, 2), st.integers(0, 50))
@settings(max_examples=25)
def test_whatever_was_taken_an_option_that_parts_alone_is_exact_and_the_rest_adds_up(words, seed):
    grammar = choice_grammar(["ab", "ac", "abc", "no"])
    request = ask(words=words, grammar=grammar, do_sample=True, temperature=2.0, seed=seed)
    told = alone(request).completion().probabilities[""]
    assert sum(told.values()) == pytest.approx(1)
    assert told["no"] == pytest.approx(brute_force(grammar, request)["no"], abs=1e-9)


def test_an_option_that_begins_another_is_told_apart_by_the_end_of_the_text():
    grammar = choice_grammar(["y", "yz"])  # "y" is the only way to begin but for "yz" itself
    for seed in range(6):
        request = ask(words=seed % 3, grammar=grammar, do_sample=True, temperature=2.0, seed=seed)
        told, oracle = alone(request).completion().probabilities[""], brute_force(grammar, request)
        assert told == pytest.approx(oracle, abs=1e-9)


def test_every_finite_field_of_a_document_has_its_probabilities():
    grammar = json_grammar(closed_schema(Part))
    for seed in range(4):
        request = ask(grammar=grammar, do_sample=True, temperature=1.2, seed=seed, max_new_tokens=90)
        completion = alone(request).completion()
        document, told = json.loads(completion.text), completion.probabilities
        colours = {"red", "green"}
        expected = {
            "kind": {"nut", "gear", "washer"},
            "colour": {*colours, "null"},
            "size": {"1", "12", "3"},
            "sound": {"true", "false"},
        }
        expected |= {f"more.{i}": colours for i in range(len(document["more"]))}
        assert {path: set(options) for path, options in told.items()} == expected
        for path, options in told.items():
            assert sum(options.values()) == pytest.approx(1)
            value = document
            for step in path.split("."):
                value = value[int(step) if isinstance(value, list) else step]
            assert options[value if isinstance(value, str) else json.dumps(value)] > 0


def test_a_choice_behind_a_thought_has_its_probabilities_too():
    grammar = choice_grammar(["yes", "no"], thinking=True)
    request = ask(grammar=grammar, do_sample=True, temperature=1.5, seed=3, max_new_tokens=40)
    completion = alone(request).completion()
    assert set(completion.probabilities[""]) == {"yes", "no"}
    assert sum(completion.probabilities[""].values()) == pytest.approx(1)
    grammar = think_grammar(closed_schema(Part))
    request = ask(grammar=grammar, do_sample=True, temperature=1.5, seed=3, max_new_tokens=120)
    assert "kind" in alone(request).completion().probabilities


def test_neither_company_nor_forced_tokens_nor_a_tight_budget_change_them():
    grammar = json_grammar(closed_schema(Part))
    requests = [ask(words=i % 3, grammar=grammar, do_sample=True, seed=i, max_new_tokens=45 + i) for i in range(6)]
    with engine(**PLENTY) as (one, _):
        running = [one.submit(request) for request in requests]
        together = [generation.completion() for generation in running]
    for request, completion in zip(requests, together, strict=True):
        expected = alone(request).completion()
        assert completion.text == expected.text
        assert completion.probabilities.keys() == expected.probabilities.keys()
        for path, options in completion.probabilities.items():
            assert options == pytest.approx(expected.probabilities[path], abs=1e-6)


def test_free_text_and_free_fields_have_none():
    assert alone(ask()).completion().probabilities == {}
    assert alone(ask(grammar=json_grammar({"type": "integer", "maximum": 9}))).completion().probabilities == {}


def test_options_are_found_through_references_unions_and_lists():
    schema = {
        "$defs": {"c": {"enum": ["a", "b"]}, "node": {"properties": {"c": {"$ref": "#/$defs/c"}}}},
        "properties": {
            "one": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            "many": {"items": {"allOf": [{"$ref": "#/$defs/c"}]}},
            "free": {"anyOf": [{"enum": ["a"]}, {"type": "string"}]},
            "fixed": {"const": 5},
            "pair": {"prefixItems": [{"type": "boolean"}, {"type": "integer"}]},
        },
    }
    finite = Finite(json.dumps(schema))
    both = {"a": b'"a"', "b": b'"b"'}
    assert finite.at(("one", "c")) == finite.at(("many", 7)) == both
    assert finite.at(("pair", 0)) == {"true": b"true", "false": b"false"}
    for path in [("free",), ("fixed",), ("pair", 1), ("pair", 2), ("none",), ()]:
        assert finite.at(path) is None
