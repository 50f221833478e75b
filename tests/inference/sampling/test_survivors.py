"""What the filters leave, counted as the sampler sees it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.generation_config import GenerationConfig
from vi.inference.sampling.sampler import Row, choose
from vi.inference.sampling.survivors import survivors

V = 40


def row_of(seed, step=0, **config):
    allowed = np.random.default_rng(seed).random(V) < 0.7
    allowed[3] = True
    return Row(GenerationConfig(seed=seed, **config), np.array([1, 2], dtype=np.int64), allowed, step)


@given(seed=st.integers(0, 10**6), top_k=st.integers(1, 30), top_p=st.floats(0.1, 1.0), t=st.floats(0.2, 2.0))
def test_each_filter_leaves_no_more_than_the_one_before_and_the_drawn_token_survives(seed, top_k, top_p, t):
    logits = np.random.default_rng(seed).normal(size=V).astype(np.float32) * 3
    row = row_of(seed, do_sample=True, top_k=top_k, top_p=top_p, temperature=t)
    (choice,) = choose(logits[None], [row])
    kept = survivors(logits, row, [choice.token_id])
    assert kept.grammar == row.allowed.sum()
    assert 1 <= kept.top_p <= kept.top_k <= min(top_k, kept.grammar)
    assert 0 < kept.probabilities[0] <= 1


def test_the_probabilities_are_those_that_draws_come_out_with():
    logits = np.random.default_rng(1).normal(size=V).astype(np.float32)
    config = {"do_sample": True, "top_k": 5, "top_p": 0.9, "temperature": 0.8}
    drawn = [choose(logits[None], [row_of(7, step, **config)])[0].token_id for step in range(4000)]
    ids = sorted(set(drawn))
    kept = survivors(logits, row_of(7, **config), ids)
    assert kept.top_p == len(ids)
    assert sum(kept.probabilities) == pytest.approx(1)
    for token_id, probability in zip(ids, kept.probabilities, strict=True):
        assert drawn.count(token_id) / 4000 == pytest.approx(probability, abs=0.03)


def test_a_greedy_choice_is_certain():
    logits = np.zeros(V, dtype=np.float32)
    assert survivors(logits, row_of(3, do_sample=False), [3, 4]).probabilities == [1.0, 0.0]
