import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.families import byte_level_tokenizer

from vi.inference.errors import InferenceError
from vi.inference.structured.constraint import Constraint, TokenizerTables
from vi.inference.task_types import TASKS
from vi.inference.task_types.boxes import BoxUnits

EOS = 0
TOKENIZER = byte_level_tokenizer(["<eos>"])
TABLES = TokenizerTables(TOKENIZER, eos_token_ids=[EOS])
TASK = TASKS["phrase-grounding"]
OPENING = '{"phrase_grounding":{"sentence":"a cat \\"é😀\\" and\\na dog","groundings":['


def constraint_after(text, units):
    constraint = Constraint(TASK.grammar(units=units), TABLES)
    for token_id in TOKENIZER.encode(text).ids:
        constraint.advance(token_id)
    return constraint


def babble(constraint, budget, rng):
    """Random allowed tokens to the end of the document; with a liking for boxes."""
    ids = []
    for left in range(budget, 0, -1):
        choices = np.flatnonzero(constraint.allowed(left)).tolist()
        opening = [i for i in choices if any(byte in TABLES.spelling(i) for byte in b"{[,")]
        ids.append(rng.choice(opening if opening and rng.random() < 0.6 else choices))
        constraint.advance(ids[-1])
        if constraint.done:
            break
    return TOKENIZER.decode(ids)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), width=st.integers(1, 2000), height=st.integers(1, 2000), y_first=st.booleans())
def test_every_box_has_its_corners_in_order_and_every_phrase_is_in_the_sentence(seed, width, height, y_first):
    units = BoxUnits(width, height, y_first)
    constraint, rng = constraint_after(OPENING, units), random.Random(seed)
    budget = constraint.min_tokens() + rng.choice([0, 5, 30, 60, 120])
    document = json.loads(OPENING + babble(constraint, budget, rng))["phrase_grounding"]
    for grounded in document["groundings"]:
        assert grounded["phrase"]
        assert grounded["phrase"] in document["sentence"]
        assert grounded["grounding"]
        for box in grounded["grounding"]:
            x1, y1, x2, y2 = (box[1], box[0], box[3], box[2]) if y_first else box
            assert 0 <= x1 < x2 <= width
            assert 0 <= y1 < y2 <= height


def test_the_corners_decide_which_digits_may_come():
    begun = OPENING + '{"phrase":"a cat","grounding":[[90,7,'
    constraint = constraint_after(begun, BoxUnits(120, 80))
    digits = {int(TABLES.spelling(i)) for i in np.flatnonzero(constraint.allowed()) if TABLES.spelling(i).isdigit()}
    assert {digit for digit in digits if digit < 10} == {1, 9}  # 100 to 120, and 91 to 99
    constraint.advance(TOKENIZER.token_to_id("9"))
    with pytest.raises(InferenceError, match="not allowed"):
        constraint.advance(TOKENIZER.token_to_id("0"))


def test_a_phrase_may_end_only_at_the_end_of_a_character():
    constraint = constraint_after(OPENING + '{"phrase":"', BoxUnits(64, 64))
    assert not constraint.allowed()[TOKENIZER.token_to_id('"')]
    for token_id in TOKENIZER.encode('a cat \\"é😀').ids:
        assert constraint.allowed()[token_id]
        constraint.advance(token_id)
    assert constraint.allowed()[TOKENIZER.token_to_id('"')]


def test_there_are_no_more_phrases_than_asked_for():
    constraint = Constraint(TASK.grammar(max_objects=1), TABLES)
    one = OPENING + '{"phrase":"a cat","grounding":[[1,2,3,4]]}'
    for token_id in TOKENIZER.encode(one).ids:
        constraint.advance(token_id)
    assert not constraint.allowed()[TOKENIZER.token_to_id(",")]


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_whole_answer_with_a_thought_is_complete_within_its_budget(seed):
    constraint, rng = Constraint(TASK.grammar(thinking=True, units=BoxUnits(320, 240)), TABLES), random.Random(seed)
    text = babble(constraint, constraint.min_tokens() + rng.randrange(80), rng)
    assert not isinstance(TASK.parse(text).result, str)
