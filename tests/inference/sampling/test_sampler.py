import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.stats import chisquare
from tests.inference.sampling.settings import Config, configs
from transformers import RepetitionPenaltyLogitsProcessor

from vi.inference.errors import InferenceError
from vi.inference.sampling.sampler import Row, choose

LIBRARIES = {"numpy": np.asarray, "torch": torch.as_tensor}
VOCAB = 130  # large enough that a small top_k looks at candidates alone


@pytest.fixture(params=LIBRARIES, scope="module")
def array(request):
    return LIBRARIES[request.param]


def random_logits(seed, rows):
    return (np.random.default_rng(seed).normal(size=(rows, VOCAB)) * 2).astype(np.float32)


def nothing_seen():
    return np.zeros(0, dtype=np.int64)


def no_token():
    return np.zeros(VOCAB, dtype=bool)


@given(st.lists(configs(3), min_size=1, max_size=6), st.integers(0, 1000))
def test_a_row_does_not_notice_its_company_or_the_library(mix, seed):
    logits = random_logits(seed, len(mix))
    rng = np.random.default_rng(seed)
    rows = []
    for i, config in enumerate(mix):
        allowed = None if i % 2 else rng.random(VOCAB) < 0.5
        if allowed is not None:
            allowed[3] = True
        rows.append(Row(config, np.flatnonzero(rng.random(VOCAB) < 0.3), allowed, step=i))
    together = choose(logits, rows)
    for i, row in enumerate(rows):
        (alone,) = choose(torch.from_numpy(logits[i : i + 1]), [row])
        assert alone.token_id == together[i].token_id
        assert (alone.logprob is None) == (together[i].logprob is None) == (row.config.logprobs is None)
        assert alone.logprob is None or alone.logprob == pytest.approx(together[i].logprob, abs=1e-6)
        assert [a[0] for a in alone.alternatives] == [a[0] for a in together[i].alternatives]
        assert row.allowed is None or row.allowed[alone.token_id]


def test_greedy_is_argmax_after_penalty_and_mask_with_the_lowest_id_on_ties(array):
    logits = np.zeros((4, VOCAB), dtype=np.float32)
    logits[:, [5, 9]] = 4.0
    logits[:, 6] = 3.9
    seen = np.array([9, 5])
    allowed = np.ones(VOCAB, dtype=bool)
    allowed[5] = False
    greedy = Config(do_sample=False)
    rows = [
        Row(greedy, nothing_seen()),
        Row(replace(greedy, repetition_penalty=1.5), seen),
        Row(greedy, nothing_seen(), allowed),
        Row(Config(temperature=0.0), nothing_seen()),
    ]
    assert [choice.token_id for choice in choose(array(logits), rows)] == [5, 6, 9, 5]


def test_greedy_ignores_every_sampling_value(array):
    logits = random_logits(1, 1)
    wild = Config(do_sample=False, temperature=2.0, top_k=3, top_p=0.1, seed=9)
    assert choose(array(logits), [Row(wild, nothing_seen())])[0].token_id == logits[0].argmax()


def test_draws_over_steps_follow_the_distribution(array):
    logits, draws = random_logits(2, 1), 20_000
    rows = [Row(Config(seed=5, top_k=None), nothing_seen(), step=step) for step in range(draws)]
    picked = [choice.token_id for choice in choose(array(np.repeat(logits, draws, axis=0)), rows)]
    expected = torch.softmax(torch.from_numpy(logits).double(), dim=-1)[0].numpy()
    assert chisquare(np.bincount(picked, minlength=VOCAB), expected * draws).pvalue > 1e-3


def test_seeds_give_different_texts_and_a_seed_gives_its_own_again():
    logits = np.zeros((1, VOCAB), dtype=np.float32)

    def text(seed):
        return [choose(logits, [Row(Config(seed=seed), nothing_seen(), step=step)])[0].token_id for step in range(12)]

    assert text(1) == text(1)
    assert len({tuple(text(seed)) for seed in range(20)}) == 20


def test_logprobs_are_the_models_own_before_any_filter(array):
    logits = random_logits(4, 2)
    oracle = torch.log_softmax(torch.from_numpy(logits).double(), dim=-1).numpy()
    allowed = no_token()
    allowed[17] = True
    config = Config(temperature=0.4, top_k=2, repetition_penalty=2.0, logprobs=5)
    rows = [Row(config, np.arange(VOCAB), allowed), Row(replace(config, logprobs=0), nothing_seen())]
    first, second = choose(array(logits), rows)
    assert first.token_id == 17
    assert first.logprob == pytest.approx(oracle[0, 17], abs=1e-6)
    assert [token_id for token_id, _ in first.alternatives] == np.argsort(-oracle[0])[:5].tolist()
    assert_allclose([value for _, value in first.alternatives], np.sort(oracle[0])[::-1][:5], atol=1e-6)
    assert second.alternatives == []


def test_a_token_has_the_same_logprob_chosen_and_as_an_alternative(array):
    rows = [Row(Config(do_sample=False, logprobs=1), nothing_seen())] * 4
    for choice in choose(array(random_logits(8, 4)), rows):
        assert choice.alternatives == [(choice.token_id, choice.logprob)]


def test_banned_ids_are_never_chosen_however_likely(array):
    logits = random_logits(5, 60)
    logits[:, :4] = 50.0
    banned = no_token()
    banned[:4] = True
    rows = [Row(Config(do_sample=step % 2 == 0), nothing_seen(), step=step) for step in range(60)]
    assert all(choice.token_id >= 4 for choice in choose(array(logits), rows, banned))


def test_nothing_allowed_is_an_error_that_says_so(array):
    rows = [Row(Config(), nothing_seen()), Row(Config(), nothing_seen(), no_token(), step=8)]
    with pytest.raises(InferenceError, match=r"row 1 at step 8.*grammar"):
        choose(array(random_logits(6, 2)), rows)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_logits_that_are_not_numbers_are_an_error(array, bad):
    logits = random_logits(6, 1)
    logits[0, 3] = bad
    with pytest.raises(InferenceError, match="not finite"):
        choose(array(logits), [Row(Config(), nothing_seen())])


def test_half_precision_logits_are_taken():
    logits = torch.from_numpy(random_logits(7, 1)).to(torch.bfloat16)
    (choice,) = choose(logits, [Row(Config(do_sample=False, logprobs=2), nothing_seen())])
    assert choice.token_id == int(logits.argmax())


def test_no_rows_need_no_tokens():
    assert choose(np.zeros((0, VOCAB), dtype=np.float32), []) == []


@given(st.lists(configs(3), min_size=1, max_size=5), st.integers(0, 1000))
def test_the_logits_are_left_as_they_are(mix, seed):
    logits = random_logits(seed, len(mix))
    before = logits.copy()
    choose(logits, [Row(config, np.arange(40), step=i) for i, config in enumerate(mix)], no_token())
    assert np.array_equal(logits, before)


@pytest.mark.parametrize("penalty", [1.05, 2.0])
def test_the_penalty_is_that_of_transformers(array, penalty):
    logits, rng = random_logits(9, 8), np.random.default_rng(9)
    texts = [rng.integers(0, VOCAB, size) for size in range(1, 9)]
    greedy = Config(do_sample=False, repetition_penalty=penalty)
    chosen = choose(array(logits), [Row(greedy, np.unique(text)) for text in texts])
    for i, text in enumerate(texts):
        oracle = RepetitionPenaltyLogitsProcessor(penalty)(
            torch.from_numpy(text[None]), torch.from_numpy(logits[i : i + 1].copy())
        )
        assert chosen[i].token_id == int(oracle.argmax())


def test_a_plain_greedy_batch_copies_no_logits():
    """The largest thing made is a number a row; 64 rows of 50,000 logits would be 12.8 MB."""
    logits = np.random.default_rng(0).normal(size=(64, 50_000)).astype(np.float32)
    rows = [Row(Config(do_sample=False), nothing_seen())] * 64
    banned = np.zeros(50_000, dtype=bool)
    tracemalloc.start()
    chosen = choose(logits, rows, banned)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [choice.token_id for choice in chosen] == logits.argmax(axis=-1).tolist()
    assert peak < 1_000_000


def test_a_scored_row_has_its_logprob_and_a_parting_row_its_shares_and_others_are_left_alone(array):
    logits = random_logits(9, 4)
    greedy = Config(do_sample=False)
    asked = np.array([3, 7, 90])
    rows = [
        Row(greedy, nothing_seen(), scored=True),
        Row(greedy, nothing_seen(), parting=asked),
        Row(replace(greedy, repetition_penalty=2.0), np.arange(VOCAB), scored=True, parting=asked),
        Row(greedy, nothing_seen()),
    ]
    oracle = torch.log_softmax(torch.from_numpy(logits).double(), dim=-1).numpy()
    for i, choice in enumerate(choose(array(logits), rows)):
        if rows[i].scored:
            assert choice.logprob == pytest.approx(oracle[i, choice.token_id], abs=1e-6)
        if rows[i].parting is not None:
            weights = np.exp(oracle[i, asked])
            assert_allclose(choice.parting, weights / weights.sum(), atol=1e-6)
        assert (choice.logprob is None) == (not rows[i].scored)
        assert bool(choice.parting) == (rows[i].parting is not None)
        assert choice.survivors is None
