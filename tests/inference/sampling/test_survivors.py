"""What the filters leave: counted and weighed as brute force does it, and as the draws come out."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.sampling.settings import Config, configs

from vi.inference.completion import Survivors
from vi.inference.sampling.sampler import Row, choose, report_forced

V = 130  # large enough that a small top_k looks at candidates alone
BANNED = np.arange(V) < 4
NOTHING = np.zeros(0, dtype=np.int64)


def brute_force(logits, row):
    """(counts, probabilities [V]) by the filters' definitions: penalty, mask, temperature, top-k, top-p."""
    config = row.config
    scores = {i: logits[i] for i in range(V)}
    for i in row.seen.tolist():
        factor = np.float32(config.repetition_penalty)
        scores[i] = scores[i] * factor if scores[i] < 0 else scores[i] / factor
    left = [i for i in range(V) if not BANNED[i]]
    counts = [len(left)]
    left = [i for i in left if row.allowed is None or row.allowed[i]]
    counts.append(len(left))
    if not row.sampled:
        best = max(left, key=lambda i: (scores[i], -i))
        return Survivors(**dict(zip(Survivors.model_fields, [*counts, 1, 1], strict=True))), {best: 1.0}
    scores = {i: scores[i] / np.float32(config.temperature) for i in left}
    if config.top_k is not None:
        ranked = sorted(scores.values(), reverse=True)
        last = ranked[min(config.top_k, len(ranked)) - 1]
        left = [i for i in left if scores[i] >= last]
    counts.append(len(left))
    mass = {i: float(np.exp(np.float64(scores[i]) - max(scores.values()))) for i in left}
    total, kept, so_far = sum(mass.values()), [], 0.0
    for i in sorted(left, key=lambda i: (-scores[i], i)):
        if kept and so_far / total >= config.top_p - 1e-12 and config.top_p < 1:
            break
        kept.append(i)
        so_far += mass[i]
    counts.append(len(kept))
    weight = sum(mass[i] for i in kept)
    told = Survivors(**dict(zip(Survivors.model_fields, counts, strict=True)))
    return told, {i: mass[i] / weight for i in kept}


def rows_of(mix, seed):
    rng = np.random.default_rng(seed)
    for i, config in enumerate(mix):
        allowed = None if i % 2 else rng.random(V) < 0.5
        if allowed is not None:
            allowed[7] = True
        yield Row(config, np.flatnonzero(rng.random(V) < 0.3), allowed, step=i)


@given(
    st.lists(configs(12), min_size=1, max_size=6), st.integers(0, 10**6), st.sampled_from([np.asarray, torch.as_tensor])
)
def test_what_is_reported_is_the_filtered_distribution_whatever_the_company(mix, seed, array):
    rng = np.random.default_rng(seed)
    logits = (rng.normal(size=(len(mix), V)) * 2).astype(np.float32)
    if seed % 3 == 0:
        logits = np.round(logits)  # ties
    rows = list(rows_of(mix, seed))
    for i, (row, choice) in enumerate(zip(rows, choose(array(logits), rows, BANNED), strict=True)):
        if row.config.logprobs is None:
            assert choice.survivors is None
            assert not choice.probabilities
            continue
        survivors, shares = brute_force(logits[i], row)
        assert choice.survivors == survivors
        ids = [choice.token_id, *(token_id for token_id, _ in choice.alternatives)]
        assert choice.probabilities == pytest.approx([shares.get(token_id, 0.0) for token_id in ids], abs=1e-9)
        assert choice.probabilities[0] > 0
        assert survivors.vocabulary >= survivors.grammar >= survivors.top_k >= survivors.top_p >= 1


def test_the_probabilities_are_those_that_draws_come_out_with():
    logits = np.random.default_rng(1).normal(size=(1, V)).astype(np.float32)
    config = Config(seed=7, top_k=6, top_p=0.9, temperature=0.8, logprobs=V)
    choices = [choose(logits, [Row(config, NOTHING, step=step)])[0] for step in range(4000)]
    drawn = Counter(choice.token_id for choice in choices)
    assert len(drawn) == choices[0].survivors.top_p
    for choice in choices[:50]:
        assert choice.probabilities[0] == pytest.approx(drawn[choice.token_id] / 4000, abs=0.03)
        assert sum(choice.probabilities[1:]) == pytest.approx(1)


def test_a_token_that_the_grammar_forced_is_certain_and_alone():
    logits = np.zeros((2, V), dtype=np.float32)
    for choice in report_forced(logits, [9, 5], [0, 2], BANNED):
        assert choice.survivors == Survivors(vocabulary=V - 4, grammar=1, top_k=1, top_p=1)
        assert choice.probabilities == [1.0, 0.0, 0.0][: 1 + len(choice.alternatives)]
