import json
import random
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, Field
from tests.families import byte_level_tokenizer
from transformers import PreTrainedTokenizerFast

from vi.inference.errors import InferenceError, LoadError
from vi.inference.structured.constraint import CACHED_GRAMMARS, Constraint, TokenizerTables
from vi.inference.structured.grammar import Grammar, json_grammar, think_grammar

EOS, PAD, TURN = 0, 1, 2
TOKENIZER = byte_level_tokenizer(["<eos>", "<pad>", "<turn>"])
VOCAB = TOKENIZER.get_vocab_size() + 18  # models pad their vocabulary
TABLES = TokenizerTables(TOKENIZER, vocab_size=VOCAB, eos_token_ids=[EOS, TURN])


Coordinate = Annotated[int, Field(ge=0, le=1024)]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Answer(Closed):
    answer: str = Field(min_length=1, max_length=30)


class Grounding(Closed):
    phrase: str = Field(min_length=2, max_length=12)
    boxes: list[tuple[Coordinate, Coordinate, Coordinate, Coordinate]] = Field(min_length=1, max_length=2)


class Maker(Closed):
    kind: Literal["maker"]
    name: str = Field(pattern=r"^[A-Z][a-z]{1,5}$")


class Part(Closed):
    kind: Literal["bolt", "nut"]
    sizes: list[float] = Field(min_length=2, max_length=3)
    weight: Annotated[float, Field(ge=-1.5, le=2.25)]
    maker: Maker | None = None


class Bin(Closed):
    items: list[Annotated[Part | Maker, Field(discriminator="kind")]] = Field(max_length=2)
    full: bool
    even: int = Field(multiple_of=2, gt=-3, lt=9)


MODELS = [Answer, Grounding, Part, Bin]


def id_of(piece):
    return TOKENIZER.token_to_id(piece)


PLAIN = {id_of(c) for c in "0123456789abcdefghijklmnop:"}


def walk(grammar, seed, patience=60, closing=""):
    """Random allowed tokens to the end; past ``patience`` tokens ``closing``, then those that end things first."""
    rng, constraint, ids = random.Random(seed), Constraint(grammar, TABLES), []
    enders = [i for i in (id_of(c) for c in '"}]</>,') if i is not None]
    while True:
        allowed = constraint.allowed()
        assert allowed.shape == (VOCAB,)
        assert constraint.done == (set(np.flatnonzero(allowed)) == {EOS, TURN})
        if allowed[EOS]:
            constraint.advance(EOS)
            return TOKENIZER.decode(ids)
        last = TOKENIZER.encode(closing).ids
        if len(ids) > patience and last and allowed[last[0]]:  # not in the middle of a character
            for token_id in last:
                constraint.advance(token_id)
            ids, closing = ids + last, ""
            continue
        choices = np.flatnonzero(allowed).tolist()
        if len(ids) > patience:
            choices = [i for i in enders if allowed[i]] or [i for i in choices if i in PLAIN] or choices
        ids.append(rng.choice(choices))
        constraint.advance(ids[-1])
        assert len(ids) < 2000


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("model", MODELS)
def test_every_legal_walk_is_compact_json_that_pydantic_accepts(model, seed):
    text = walk(json_grammar(model.model_json_schema()), seed)
    model.model_validate_json(text)
    outside_strings = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert not re.search(r"\s", outside_strings)
    assert json.loads(text, object_pairs_hook=no_twins) is not None


def no_twins(pairs):
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("seed", range(12))
def test_every_thinking_walk_is_thoughts_then_an_answer(seed):
    text = walk(think_grammar(Answer.model_json_schema()), seed, closing="</think>")
    match = re.fullmatch(r"<think>(.*?)</think><answer>(.*)</answer>", text, re.DOTALL)
    assert match
    Answer.model_validate_json(match[2])


def test_thoughts_are_free_and_not_bounded():
    constraint = Constraint(think_grammar(Answer.model_json_schema()), TABLES)
    thought = 'I see </thin, <answer> and {"a": 1}\n\n漢字 😀 ' * 60
    for token_id in TOKENIZER.encode(f'<think>{thought}</think><answer>{{"answer":"é"}}</answer>').ids:
        assert constraint.allowed()[token_id]
        constraint.advance(token_id)
    assert constraint.done


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(
    ("schema", "holds"),
    [
        ({"type": "integer", "minimum": 7, "maximum": 1024}, lambda v: 7 <= v <= 1024),
        ({"type": "string", "pattern": "a", "minLength": 3, "maxLength": 9}, lambda v: "a" in v and 3 <= len(v) <= 9),
        ({"enum": ["red", 3, None, [1]]}, lambda v: v in ("red", 3, None, [1])),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 4}, lambda v: 2 <= len(v) <= 4),
        ({"type": "string", "maxLength": 8}, lambda v: len(v) <= 8 and v.encode()),
        ({"type": "array", "prefixItems": [{"const": "x"}], "items": False, "minItems": 1}, lambda v: v == ["x"]),
        ({"type": "string", "format": "date"}, lambda v: re.fullmatch(r"\d{4}-\d{2}-\d{2}", v)),
    ],
)
def test_bounds_hold_in_every_walk(schema, holds, seed):
    value = json.loads(walk(json_grammar(schema), seed))
    assert holds(value)


def test_the_end_is_allowed_exactly_where_the_grammar_may_end():
    constraint = Constraint(json_grammar({"type": "integer", "minimum": 0, "maximum": 20}), TABLES)
    ends = []
    for digit in "20":
        ends.append(bool(constraint.allowed()[EOS]))
        assert not constraint.done
        constraint.advance(id_of(digit))
    assert ends == [False, True]
    assert constraint.done
    assert np.flatnonzero(constraint.allowed()).tolist() == [EOS, TURN]
    constraint.advance(TURN)
    assert constraint.done
    with pytest.raises(InferenceError, match=f"Token {EOS} "):
        constraint.advance(EOS)


def test_an_illegal_token_is_an_error_and_changes_nothing():
    constraint = Constraint(json_grammar({"type": "integer", "minimum": 0, "maximum": 20}), TABLES)
    before = constraint.allowed()
    for token_id in (id_of("{"), EOS, PAD, VOCAB - 1):
        with pytest.raises(InferenceError, match=f"Token {token_id} is not allowed"):
            constraint.advance(token_id)
    assert (constraint.allowed() == before).all()
    constraint.advance(id_of("7"))


def test_ids_beyond_the_tokenizer_and_special_ids_are_never_allowed():
    constraint = Constraint(think_grammar(Answer.model_json_schema()), TABLES)
    for token_id in TOKENIZER.encode("<think>anything").ids:
        constraint.advance(token_id)
    allowed = constraint.allowed()
    assert allowed.sum() > 200
    assert not allowed[TOKENIZER.get_vocab_size() :].any()
    assert not allowed[[EOS, PAD, TURN]].any()


def test_requests_with_one_grammar_do_not_notice_each_other():
    grammar = json_grammar(Answer.model_json_schema())
    first, second = Constraint(grammar, TABLES), Constraint(grammar, TABLES)
    before = second.allowed()
    first.advance(id_of("{"))
    assert (second.allowed() == before).all()
    alone = [walk(grammar, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda seed: walk(grammar, seed), range(8))) == alone


def test_the_cache_of_grammars_is_bounded():
    tables = TokenizerTables(TOKENIZER, eos_token_ids=EOS)
    for number in range(CACHED_GRAMMARS + 5):
        Constraint(json_grammar({"const": number}), tables)
    assert len(tables._compiled) == CACHED_GRAMMARS


def test_a_transformers_tokenizer_brings_its_own_end():
    fast = PreTrainedTokenizerFast(tokenizer_object=TOKENIZER, eos_token="<eos>", pad_token="<pad>")
    constraint = Constraint(json_grammar({"const": 1}), TokenizerTables(fast))
    constraint.advance(id_of("1"))
    assert np.flatnonzero(constraint.allowed()).tolist() == [EOS]


def test_a_tokenizer_without_an_end_needs_one_named():
    with pytest.raises(LoadError, match="eos_token_ids"):
        TokenizerTables(TOKENIZER)


def test_a_tokenizer_without_a_fast_form_is_an_error_that_says_so():
    with pytest.raises(LoadError, match=r"tokenizer\.json"):
        TokenizerTables(object(), eos_token_ids=0)


def test_a_grammar_past_the_librarys_limits_is_an_error_not_a_panic():
    constraint = Constraint(Grammar('{"grammars":[{"lark_grammar":"start: /a{2}/ \\"b\\""}]}'), TABLES)
    constraint._matcher.consume_token(id_of("z"))  # drives the library itself into its error state
    with pytest.raises(InferenceError, match="could not be followed"):
        constraint.allowed()
