import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare
from transformers import (
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from vi.inference.sampling import filters

LIBRARIES = {"numpy": np.asarray, "torch": torch.as_tensor}
sizes = st.tuples(st.integers(1, 5), st.integers(2, 300))
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(params=LIBRARIES, scope="module")
def array(request):
    return LIBRARIES[request.param]


def random_logits(seed, size, scale=4.0):
    return (np.random.default_rng(seed).normal(size=size) * scale).astype(np.float32)


def by_row(processor, knobs, logits, ids=None):
    """The oracle knows one knob for a batch: ask it row by row."""
    rows = torch.from_numpy(logits)
    ids = [None] * len(knobs) if ids is None else ids
    return torch.cat([processor(k)(i, row[None]) for k, i, row in zip(knobs, ids, rows, strict=True)]).numpy()


@given(sizes, seeds, st.data())
def test_repetition_penalty_is_that_of_transformers(array, size, seed, data):
    logits = random_logits(seed, size)
    penalty = data.draw(st.lists(st.floats(1.0, 2.0), min_size=size[0], max_size=size[0]))
    ids = np.random.default_rng(seed).integers(0, size[1], size=(size[0], 1, 7))
    seen = np.zeros(size, dtype=bool)
    np.put_along_axis(seen, ids[:, 0], True, axis=1)
    ours = filters.repetition_penalty(array(logits), array(seen), array(np.array(penalty)))
    oracle = by_row(RepetitionPenaltyLogitsProcessor, penalty, logits, torch.from_numpy(ids))
    assert_allclose(np.asarray(ours), oracle, rtol=1e-6, atol=1e-6)


@given(sizes, seeds, st.data())
def test_temperature_is_that_of_transformers(array, size, seed, data):
    logits = random_logits(seed, size)
    t = data.draw(st.lists(st.floats(0.05, 2.0), min_size=size[0], max_size=size[0]))
    ours = filters.temperature(array(logits), array(np.array(t)))
    assert_allclose(np.asarray(ours), by_row(TemperatureLogitsWarper, t, logits), rtol=1e-6, atol=1e-6)


@given(sizes, seeds, st.booleans(), st.data())
def test_top_k_keeps_what_transformers_keeps_with_ties(array, size, seed, rounded, data):
    logits = random_logits(seed, size)
    logits = np.round(logits) if rounded else logits  # rounding makes many ties
    k = data.draw(st.lists(st.integers(1, 400), min_size=size[0], max_size=size[0]))
    ours = filters.top_k(array(logits), array(np.array(k)))
    assert_array_equal(np.asarray(ours), by_row(TopKLogitsWarper, k, logits))


@given(sizes, seeds, st.data())
def test_top_p_keeps_what_transformers_keeps(array, size, seed, data):
    logits = random_logits(seed, size)
    p = data.draw(st.lists(st.floats(0.0, 0.999), min_size=size[0], max_size=size[0]))
    ranked = -np.sort(-logits.astype(np.float64), axis=-1)
    share = np.exp(ranked - ranked[:, :1])
    reached = np.cumsum(share, axis=-1) / share.sum(axis=-1, keepdims=True)
    assume(np.abs(reached - np.array(p)[:, None]).min() > 1e-5)  # where float32 can tell the sides apart
    assume(all(len(np.unique(row)) == size[1] for row in logits))  # which of two tied tokens goes is its sort's whim
    ours = filters.top_p(array(logits), array(np.array(p)))
    assert_array_equal(np.asarray(ours), by_row(TopPLogitsWarper, p, logits))


@given(sizes, seeds, st.floats(0.0, 1.0))
def test_top_p_is_the_smallest_set_that_reaches_p_and_prefers_low_ids_among_ties(array, size, seed, p):
    logits = np.round(random_logits(seed, size, scale=1.0))
    kept = np.isfinite(np.asarray(filters.top_p(array(logits), array(np.full(size[0], p)))))
    share = np.asarray(filters.softmax(logits))
    for row in range(size[0]):
        order = np.argsort(-logits[row], kind="stable")
        count = kept[row].sum()
        assert_array_equal(np.sort(order[:count]), np.flatnonzero(kept[row]))
        assert share[row, order[:count]].sum() >= p - 1e-9 or kept[row].all()
        assert count == 1 or share[row, order[: count - 1]].sum() < p + 1e-9


def test_top_p_of_zero_leaves_the_most_likely_token_and_of_one_leaves_all(array):
    logits = random_logits(0, (2, 50))
    logits[1, 7] = -200.0  # too unlikely to count in any sum, still there
    kept = np.isfinite(np.asarray(filters.top_p(array(logits), array(np.array([0.0, 1.0])))))
    assert_array_equal(np.flatnonzero(kept[0]), [logits[0].argmax()])
    assert kept[1].all()


@given(sizes, seeds)
def test_rows_do_not_notice_each_other(array, size, seed):
    logits = random_logits(seed, size)
    rng = np.random.default_rng(seed)
    k, p, u = rng.integers(1, size[1] + 2, size[0]), rng.random(size[0]), rng.random(size[0])

    def draw(rows):
        kept = filters.top_p(filters.top_k(array(logits[rows]), array(k[rows])), array(p[rows]))
        return np.asarray(filters.inverse_cdf(kept, array(u[rows]))).tolist()

    assert draw(slice(None)) == [draw(slice(i, i + 1))[0] for i in range(size[0])]


@given(sizes, seeds)
def test_numpy_and_torch_draw_the_same_tokens(size, seed):
    logits = random_logits(seed, size)
    rng = np.random.default_rng(seed)
    k, p, u = rng.integers(1, size[1] + 2, size[0]), rng.random(size[0]), rng.random(size[0])
    drawn = [
        np.asarray(filters.inverse_cdf(filters.top_p(filters.top_k(a(logits), a(k)), a(p)), a(u))).tolist()
        for a in LIBRARIES.values()
    ]
    assert drawn[0] == drawn[1]


@given(sizes, seeds, st.sampled_from([0.0, 5e-324, 0.5, 1 - 2**-53]))
def test_a_token_without_probability_is_never_drawn(array, size, seed, u):
    logits = random_logits(seed, size, scale=30.0)
    forbidden = np.random.default_rng(seed).random(size) < 0.8
    forbidden[:, 0] = False
    kept = filters.mask(array(logits), array(~forbidden))
    drawn = np.asarray(filters.inverse_cdf(kept, array(np.full(size[0], u))))
    assert not forbidden[np.arange(size[0]), drawn].any()


@pytest.mark.parametrize(("t", "k", "p"), [(1.0, 24, 1.0), (0.7, 10, 1.0), (1.5, 24, 0.8), (1.2, 12, 0.9)])
def test_sampled_frequencies_follow_the_filtered_distribution(array, t, k, p):
    logits = random_logits(3, (1, 24), scale=1.0)
    warped = TopPLogitsWarper(p)(
        None, TopKLogitsWarper(k)(None, TemperatureLogitsWarper(t)(None, torch.tensor(logits)))
    )
    expected = torch.softmax(warped.double(), dim=-1)[0].numpy()
    draws = 40_000
    kept = filters.top_p(
        filters.top_k(filters.temperature(array(logits), array(np.array([t]))), array(np.array([k]))),
        array(np.array([p])),
    )
    u = np.random.default_rng(11).random(draws)
    rows = array(np.broadcast_to(np.asarray(kept), (draws, 24)).copy())
    counts = np.bincount(np.asarray(filters.inverse_cdf(rows, array(u))), minlength=24)
    assert counts[expected == 0].sum() == 0
    assert chisquare(counts[expected > 0], expected[expected > 0] * draws).pvalue > 1e-3


@given(sizes, seeds, st.integers(1, 12), st.booleans())
def test_candidates_lose_no_token_that_can_be_among_the_k_most_likely(array, size, seed, k, rounded):
    logits = random_logits(seed, size)
    logits = np.round(logits) if rounded else logits
    logits[np.random.default_rng(seed).random(size) < 0.5] = -np.inf
    logits[:, 0] = 0.0
    values, ids = (np.asarray(a) for a in filters.candidates(array(logits), k))
    whole = np.asarray(filters.top_k(array(logits), array(np.full(size[0], k))))
    few = np.asarray(filters.top_k(array(values), array(np.full(size[0], k))))
    for row in range(size[0]):
        there = np.isfinite(few[row])
        assert_array_equal(ids[row, there], np.flatnonzero(np.isfinite(whole[row])))
        assert_array_equal(values[row, there], logits[row, ids[row, there]])


def test_candidates_of_a_large_vocabulary_are_few(array):
    values, ids = filters.candidates(array(random_logits(0, (3, 150_000))), 50)
    assert values.shape == ids.shape
    assert values.shape[1] < 100


@given(sizes, seeds)
def test_log_total_is_torchs_logsumexp(array, size, seed):
    logits = random_logits(seed, size)
    oracle = torch.logsumexp(torch.from_numpy(logits).double(), dim=-1).numpy()
    assert_allclose(np.asarray(filters.log_total(array(logits))), oracle, atol=1e-6)
