import math
from collections import Counter

import pytest
from training.workbench.cases import CLIP_TYPES, TYPES
from training.workbench.outcomes import HALVED, SEEDS, WAYS, Plan, chunks, said_probability

from vi.inference.completion import TokenAlternative, TokenLogprob


def rows(plan: Plan) -> Counter:
    return Counter(asking.row for sheet in plan.sheets() for case in sheet for asking in plan.askings(case))


def test_everything_is_asked_as_often_as_it_is_wanted():
    plan = Plan(0, 20)
    asked = rows(plan)
    assert {asked[kind] for kind in (*TYPES, "count_cot")} == {20}
    assert {asked[f"{kind}_half_size_jpeg40"] for kind in HALVED} == {10}
    assert asked["sampled"] == 2 * SEEDS
    assert 0 < asked["clip_direction"] <= asked["clip_event"] <= 5
    assert sum(asked.values()) == pytest.approx(plan.num_asked, abs=len(CLIP_TYPES))


def test_only_what_is_named_is_asked_and_what_it_is_compared_with():
    assert rows(Plan(0, 4, ("list",))) == {"list": 4}
    assert rows(Plan(0, 4, ("count_cot",))) == {"count": 4, "count_cot": 4}
    assert rows(Plan(0, 4, ("sampled",))) == {"sampled": SEEDS}
    assert set(rows(Plan(0, 4, ("half_size_jpeg40",)))) == {*HALVED, *(f"{kind}_half_size_jpeg40" for kind in HALVED)}
    assert set(rows(Plan(0, 8, ("clip_event",)))) == {"clip_event"}
    assert all(sum(rows(Plan(1, 3, (way,))).values()) == Plan(1, 3, (way,)).num_asked for way in WAYS[: len(TYPES)])


def test_chunks_have_everything_once():
    assert list(chunks(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


def test_the_probability_of_what_was_said_is_over_yes_and_no_alone():
    others = [
        TokenAlternative(token_id=number, text=text, logprob=math.log(share))
        for number, (text, share) in enumerate([("Yes", 0.6), (" no", 0.1), ("No", 0.1), ("The", 0.2)])
    ]
    tokens = [
        TokenLogprob(token_id=9, text='":"', logprob=0.0),
        TokenLogprob(token_id=0, text="Yes", logprob=math.log(0.6), alternatives=others),
    ]
    assert said_probability(tokens) == pytest.approx(0.75)
    assert said_probability(tokens[:1]) is None
