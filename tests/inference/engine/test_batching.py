from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.engine.engines import LONG, PLENTY, ask, engine, same
from tests.inference.engine.mixes import GRAMMARS, alone, requests
from tests.inference.engine.numpy_model import PAD, PICTURE

from vi.inference.structured.grammar import json_grammar

MIXES = st.lists(requests(), min_size=1, max_size=8)
ENGINES = st.fixed_dictionaries(
    {
        "num_blocks": st.sampled_from([21, 40, 300]),  # of 4 tokens; the longest request takes 20
        "max_batch": st.integers(1, 6),
        "token_budget": st.sampled_from([6, 17, 64, 500]),
        "prefix_cache": st.booleans(),
        "feature_cache_bytes": st.sampled_from([0, 2000, 1 << 20]),
        "exact": st.booleans(),
    }
)


def check_company(mix, options, cancelled):
    """Each request answers what it answers alone; one that is cancelled, the beginning of it."""
    with engine(**options) as (one, _):
        generations = [one.submit(request) for request in mix]
        for i in cancelled:
            if i < len(mix):
                generations[i].cancel()
        for i, (request, generation) in enumerate(zip(mix, generations, strict=True)):
            text, completion = "".join(generation), generation.completion()
            assert text == completion.text
            expected = alone(request).completion()
            if completion.finish_reason == "cancelled":
                assert i in cancelled
                assert completion.token_ids == expected.token_ids[: len(completion.token_ids)]
            else:
                assert same(completion, expected)


@settings(max_examples=40)
@given(mix=MIXES, options=ENGINES, cancelled=st.sets(st.integers(0, 7), max_size=2))
def test_a_request_does_not_notice_its_company(mix, options, cancelled):
    check_company(mix, options, cancelled)


@pytest.mark.slow
@settings(max_examples=500)
@given(
    mix=st.lists(requests(), min_size=2, max_size=33),
    options=ENGINES,
    cancelled=st.sets(st.integers(0, 32), max_size=4),
)
def test_a_request_does_not_notice_its_company_in_500_mixes(mix, options, cancelled):
    check_company(mix, options, cancelled)


def test_first_or_last_streamed_or_not_from_one_thread_or_eight():
    mix = [
        ask(before=4 + i % 3, words=i, do_sample=True, temperature=1.5, seed=i, max_new_tokens=10) for i in range(24)
    ]
    expected = [alone(request).token_ids for request in mix]
    assert len({tuple(tokens) for tokens in expected}) == len(mix)

    def tokens(one, request, streamed):
        generation = one.submit(request)
        if streamed:
            list(generation)
        return generation.completion().token_ids

    with engine(max_batch=8) as (one, _):
        forwards = [one.submit(request) for request in mix]
        assert [generation.completion().token_ids for generation in forwards] == expected
        backwards = [one.submit(request) for request in reversed(mix)]
        assert [generation.completion().token_ids for generation in backwards] == expected[::-1]
        with ThreadPoolExecutor(8) as pool:
            streamed = [i % 2 == 0 for i in range(len(mix))]
            assert list(pool.map(lambda *each: tokens(one, *each), mix, streamed)) == expected


def test_requests_run_together():
    with engine(**PLENTY, max_batch=8) as (one, runner):
        for generation in [one.submit(ask(grammar=LONG, max_new_tokens=30, words=i)) for i in range(8)]:
            generation.completion()
    assert max(len(step) for step in runner.steps) == 8
    assert len(runner.steps) < 60


def test_a_long_prompt_is_read_in_chunks_while_others_decode():
    with engine(**PLENTY, token_budget=16, max_batch=4) as (one, runner):
        talking = one.submit(ask(grammar=LONG, max_new_tokens=60))
        next(talking)
        reading = one.submit(ask(before=200, words=1))
        reading.completion()
        assert talking.completion().finish_reason == "length"
    assert max(sum(step) for step in runner.steps) <= 16
    chunks = [step for step in runner.steps if len(step) == 2 and step[1] > 1]
    assert len(chunks) >= 12
    assert all(step[0] == 1 for step in chunks)


def test_one_picture_with_many_questions_is_read_and_encoded_once():
    questions = [ask(before=9, pictures=((3, 4),), after=5, words=i) for i in range(10)]
    with engine(**PLENTY) as (one, runner):
        completions = [generation.completion() for generation in [one.submit(question) for question in questions]]
    assert runner.encoded == 1
    assert sum(map(sum, runner.steps)) < len(questions) * (20 + 12)
    first, second = (np.array(question.prompt.token_ids) for question in questions[:2])
    common = int(np.argmax(first != second))
    assert [completion.usage.cached_tokens for completion in completions] == [0] + [common] * 9
    for question, completion in zip(questions, completions, strict=True):
        assert same(completion, alone(question).completion())


def test_a_picture_is_encoded_once_also_where_prompts_are_not_shared():
    with engine(**PLENTY, prefix_cache=False) as (one, runner):
        for generation in [one.submit(ask(pictures=((3, 4),), words=i)) for i in range(5)]:
            assert generation.completion().usage.cached_tokens == 0
    assert runner.encoded == 1


def test_the_same_question_again_is_found_computed_but_for_its_last_token():
    with engine(**PLENTY) as (one, _):
        question = ask(before=29, after=3)
        first, again = (one.submit(question).completion() for _ in range(2))
    assert (first.usage.cached_tokens, again.usage.cached_tokens) == (0, 31)
    assert first.token_ids == again.token_ids


def test_forced_tokens_cost_no_steps_and_change_nothing():
    request = ask(grammar=GRAMMARS[1], max_new_tokens=30)
    steps = {}
    for exact in (True, False):
        with engine(exact=exact) as (one, runner):
            completion = one.submit(request).completion()
            assert same(completion, alone(request).completion())
        steps[exact] = len(runner.steps)
    assert steps[True] == len(completion.token_ids)
    assert steps[False] < steps[True] / 2


def test_logprobs_of_forced_tokens_are_the_models_own_and_cost_no_steps():
    request = ask(grammar=GRAMMARS[1], max_new_tokens=30, logprobs=2)
    outcomes = {}
    for exact in (True, False):
        with engine(exact=exact) as (one, runner):
            outcomes[exact] = one.submit(request).completion(), len(runner.steps)
    assert same(outcomes[True][0], outcomes[False][0])
    assert same(outcomes[True][0], alone(request).completion())
    assert sum(entry.forced for entry in outcomes[False][0].logprobs) > 3
    assert outcomes[False][1] < outcomes[True][1] / 2


def test_a_text_that_is_forced_to_its_end_needs_no_model():
    with engine() as (one, runner):
        completion = one.submit(ask(grammar=json_grammar({"const": "two red nuts"}), max_new_tokens=40)).completion()
    assert completion.text == '"two red nuts"'
    assert completion.finish_reason == "stop"
    assert runner.steps == []


@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("exact", [True, False])
def test_forced_tokens_keep_to_the_limit(limit, exact):
    request = ask(grammar=LONG, max_new_tokens=limit)
    with engine(exact=exact) as (one, _):
        completion = one.submit(request).completion()
    assert len(completion.token_ids) == limit
    assert same(completion, alone(request).completion())


@pytest.mark.parametrize("exact", [True, False])
def test_a_document_that_the_budget_completed_says_so(exact):
    with engine(exact=exact) as (one, _):
        squeezed, whole = (
            one.submit(ask(grammar=GRAMMARS[1], max_new_tokens=limit, logprobs=1)).completion() for limit in (6, 40)
        )
    assert (squeezed.finish_reason, squeezed.truncated) == ("length", True)
    assert json.loads(squeezed.text)["answer"] in ("a bolt", "two red nuts", "none")
    assert (whole.finish_reason, whole.truncated) == ("stop", False)


def test_a_stop_string_within_forced_tokens_ends_there():
    request = ask(grammar=GRAMMARS[3], stop_strings=["nuts"], max_new_tokens=40)
    with engine() as (one, _):
        completion = one.submit(request).completion()
    assert (completion.text, completion.finish_reason) == ('"two red ', "stop_string")
    assert same(completion, alone(request).completion())


def test_media_ids_are_never_chosen():
    with engine() as (one, _):
        mix = [one.submit(ask(do_sample=True, temperature=2.0, top_k=None, seed=seed)) for seed in range(40)]
        chosen = {token_id for generation in mix for token_id in generation.completion().token_ids}
    assert chosen.isdisjoint({PICTURE, PAD})
    assert len(chosen) > 80
