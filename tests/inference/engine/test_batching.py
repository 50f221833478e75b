from __future__ import annotations

import gc
import json
import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.inference.engine.mixes import GRAMMARS, alone, prompt, requests, the_model, the_vocabulary
from tests.inference.engine.numpy_model import PAD, PICTURE, NumpyRunner

from vi.inference.engine.batching import BatchingEngine
from vi.inference.engine.request import Request
from vi.inference.engine.settings import EngineSettings
from vi.inference.errors import Cancelled, InferenceError, SchemaError
from vi.inference.generation_config import GenerationConfig
from vi.inference.structured.grammar import json_grammar

LONG = json_grammar({"type": "string", "minLength": 1500})
PLENTY = {"num_blocks": 600, "block_size": 8}


@contextmanager
def engine(num_blocks=200, block_size=4, runner=NumpyRunner, **options):
    """(engine, runner); at the end every block is free again."""
    its_runner = runner(the_model(), num_blocks, block_size)
    one = BatchingEngine(its_runner, the_vocabulary(), EngineSettings(**options))
    try:
        yield one, its_runner
    finally:
        one.close()
    assert its_runner.closed
    assert_all_free(one)


def assert_all_free(one):
    assert one._loop.scheduler.blocks.num_free == one._loop.scheduler.blocks.num_blocks
    assert not one._loop.jobs
    assert not one._loop.features


def ask(before=5, pictures=(), after=3, words=0, grammar=None, **config):
    return Request(
        prompt(before, pictures, after, words), GenerationConfig(**{"max_new_tokens": 12, **config}), grammar
    )


def outcome(completion):
    """All that must not depend on company."""
    return completion.model_dump(exclude={"timings": True, "usage": {"cached_tokens"}})


def rounded(dumped):
    """Logprobs to what float64 gives whatever the order of additions."""
    if isinstance(dumped, dict):
        return {name: rounded(value) for name, value in dumped.items()}
    if isinstance(dumped, list):
        return [rounded(value) for value in dumped]
    return round(dumped, 9) if isinstance(dumped, float) else dumped


def same(completion, expected):
    return rounded(outcome(completion)) == rounded(outcome(expected))


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
    assert [completion.usage.cached_tokens for completion in completions] == [0] + [16] * 9
    for question, completion in zip(questions, completions, strict=True):
        assert same(completion, alone(question).completion())


def test_a_picture_is_encoded_once_also_where_prompts_are_not_shared():
    with engine(**PLENTY, prefix_cache=False) as (one, runner):
        for generation in [one.submit(ask(pictures=((3, 4),), words=i)) for i in range(5)]:
            assert generation.completion().usage.cached_tokens == 0
    assert runner.encoded == 1


def test_the_same_question_again_is_found_computed_but_for_its_last_block():
    with engine(**PLENTY) as (one, _):
        question = ask(before=29, after=3)
        first, again = (one.submit(question).completion() for _ in range(2))
    assert (first.usage.cached_tokens, again.usage.cached_tokens) == (0, 24)
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


@pytest.mark.parametrize("stop", ["cancel", "close", "with", "another thread", "drop"])
def test_one_that_nobody_wants_any_more_frees_its_blocks_and_the_others_go_on(stop):
    with engine(**PLENTY) as (one, _):
        other = one.submit(ask(words=1, max_new_tokens=12))
        generation = one.submit(ask(grammar=LONG, max_new_tokens=3000))
        next(generation)
        job = generation._job
        if stop == "with":
            with generation:
                pass
        elif stop == "another thread":
            threading.Thread(target=generation.cancel).start()
        elif stop == "drop":
            del generation
        else:
            getattr(generation, stop)()
        assert job.done.wait(20)
        assert job.completion.finish_reason == "cancelled"
        assert 0 < len(job.completion.token_ids) < 1500
        assert other.completion().token_ids == alone(ask(words=1, max_new_tokens=12)).token_ids
        one.submit(ask()).completion()
        assert_all_free(one)


def test_one_cancelled_while_it_waits_ends_at_once_and_is_forgotten():
    with engine(**PLENTY, max_batch=1) as (one, _):
        running, waiting = (one.submit(ask(grammar=LONG, max_new_tokens=3000)) for _ in range(2))
        next(running)
        waiting.cancel()
        assert waiting.completion().finish_reason == "cancelled"
        assert not running._job.done.is_set()
        running.cancel()
        assert one.submit(ask()).completion().finish_reason in ("stop", "length")
        assert_all_free(one)


class Refusing(NumpyRunner):
    """Out of memory for more than so many tokens, or broken for one token wherever it stands."""

    most = 10_000
    broken: int | None = None

    def run(self, batch):
        if len(batch.token_ids) > self.most:
            self.refused = getattr(self, "refused", 0) + 1
            raise InferenceError(f"The device has no memory left for {len(batch.token_ids)} tokens.", "Ask for less.")
        if self.broken in batch.token_ids.tolist():
            raise ZeroDivisionError("this token is bad")
        return super().run(batch)

    def encode(self, media):
        if np.isinf(media["pixels"]).any():
            raise ValueError("these pixels are bad")
        return super().encode(media)


def broken(request):
    pixels = request.prompt.media["pixels"] * np.inf
    return replace(request, prompt=replace(request.prompt, media={"pixels": pixels}, media_key=b"broken"))


def test_out_of_memory_makes_the_steps_smaller_and_nobody_notices():
    class Small(Refusing):
        most = 9

    mix = [ask(before=20 + i, words=i) for i in range(6)]
    with engine(runner=Small, token_budget=64, max_batch=8) as (one, runner):
        for request, generation in zip(mix, [one.submit(request) for request in mix], strict=True):
            assert same(generation.completion(), alone(request).completion())
    assert 0 < runner.refused < 8


def test_a_request_that_finds_no_memory_even_alone_fails_alone():
    class Never(Refusing):
        most = 0

    with engine(runner=Never) as (one, runner):
        generation = one.submit(ask())
        with pytest.raises(InferenceError, match="no memory left for 1 tokens"):
            generation.completion()
        runner.most = 100
        assert one.submit(ask()).completion().token_ids == alone(ask()).token_ids


def test_a_request_that_cannot_be_run_fails_alone_with_its_cause():
    class Broken(Refusing):
        broken = 13  # the fourth word of every prompt that is longer

    good = [ask(before=3, words=i) for i in range(5)]
    with engine(runner=Broken) as (one, _):
        generations = [one.submit(request) for request in [*good[:2], ask(before=9), *good[2:]]]
        failing = generations.pop(2)
        with pytest.raises(InferenceError, match="this token is bad") as raised:
            list(failing)
        assert isinstance(raised.value.__cause__, ZeroDivisionError)
        for request, generation in zip(good, generations, strict=True):
            assert same(generation.completion(), alone(request).completion())


def test_a_picture_that_cannot_be_encoded_fails_alone_with_its_cause():
    request = ask(pictures=((2, 2),))
    with engine(runner=Refusing) as (one, _):
        before, failing, after = one.submit(request), one.submit(broken(request)), one.submit(request)
        with pytest.raises(InferenceError, match="these pixels are bad"):
            failing.completion()
        assert before.completion().token_ids == after.completion().token_ids == alone(request).token_ids


def test_features_make_room_for_a_picture_that_needs_it():
    class Full(NumpyRunner):
        loop = None

        def encode(self, media):
            if self.loop is not None and len(self.loop.feature_cache):
                raise InferenceError("The device has no memory left for this picture.")
            return super().encode(media)

    first, second = ask(pictures=((2, 2),)), ask(pictures=((3, 4),))
    with engine(runner=Full) as (one, runner):
        runner.loop = one._loop
        for request in (first, second):
            assert one.submit(request).completion().token_ids == alone(request).token_ids


def test_logits_that_are_not_numbers_fail_their_row_alone():
    class Cracked(NumpyRunner):
        def run(self, batch):
            logits = super().run(batch)
            bad = [13 in batch.token_ids[a:b] for a, b in zip(batch.begins, batch.begins[1:], strict=False)]
            if len(bad) == len(logits):
                logits[bad] = np.nan
            return logits

    with engine(runner=Cracked) as (one, _):
        good, bad = one.submit(ask(before=3)), one.submit(ask(before=9, words=1))
        with pytest.raises(InferenceError, match="not finite"):
            bad.completion()
        assert good.completion().token_ids == alone(ask(before=3)).token_ids


def test_a_prompt_that_can_never_fit_fails_alone_with_the_numbers():
    with engine(num_blocks=10) as (one, _):
        small, large = one.submit(ask()), one.submit(ask(before=50))
        with pytest.raises(InferenceError, match="needs 14 blocks of 4 tokens; the cache has 10"):
            large.completion()
        assert small.completion().token_ids == alone(ask()).token_ids


def test_an_answer_that_outgrows_the_cache_fails_alone_with_the_numbers():
    with engine(num_blocks=10) as (one, _):
        large, small = one.submit(ask(grammar=LONG, max_new_tokens=200)), one.submit(ask(words=1))
        with pytest.raises(InferenceError, match="have outgrown the cache of 10 blocks of 4 tokens"):
            large.completion()
        assert small.completion().token_ids == alone(ask(words=1)).token_ids


def test_a_grammar_that_cannot_be_enforced_is_refused_at_once():
    with engine() as (one, _), pytest.raises(SchemaError):
        one.submit(ask(grammar=replace(GRAMMARS[1], text="start: nothing")))


def test_a_dead_thread_fails_all_who_wait_with_the_cause_and_refuses_the_next():
    everybody_is_here = threading.Event()

    class Mortal(NumpyRunner):
        def run(self, batch):
            everybody_is_here.wait(20)
            raise SystemExit("the device is gone")

    its_runner = Mortal(the_model(), 100, 4)
    one = BatchingEngine(its_runner, the_vocabulary(), EngineSettings(max_batch=2))
    generations = [one.submit(ask(words=i)) for i in range(5)]
    everybody_is_here.set()
    for generation in generations:
        with pytest.raises(InferenceError, match="the device is gone") as raised:
            generation.completion()
        assert isinstance(raised.value.__cause__, SystemExit)
    with pytest.raises(InferenceError, match=r"stopped .*the device is gone"):
        one.submit(ask())
    one.close()
    assert its_runner.closed


def test_closing_fails_those_that_run_and_wait_and_refuses_the_next():
    with engine(**PLENTY, max_batch=1) as (one, _):
        running, waiting = (one.submit(ask(grammar=LONG, max_new_tokens=3000)) for _ in range(2))
        next(running)
        one.close()
        one.close()
        for generation in (running, waiting):
            with pytest.raises(Cancelled, match="closed"):
                generation.completion()
        for grammar in (None, GRAMMARS[3]):
            with pytest.raises(InferenceError, match=r"closed\. Load it again"):
                one.submit(ask(grammar=grammar))


def device_threads():
    return [thread for thread in threading.enumerate() if thread.name == "vi-device"]


def test_an_engine_that_nobody_holds_ends_its_thread_but_not_before_its_answers():
    before = len(device_threads())
    generation = BatchingEngine(NumpyRunner(the_model(), 100, 4), the_vocabulary()).submit(ask())
    gc.collect()
    assert len(device_threads()) == before + 1
    assert generation.completion().token_ids
    del generation
    gc.collect()
    assert len(device_threads()) == before


def test_a_failed_request_keeps_no_memory_even_while_its_error_is_held():
    class Leaky(NumpyRunner):
        works = ()

        def run(self, batch):
            work = np.zeros(1000)
            self.works = [*self.works, weakref.ref(work)]
            if 13 in batch.token_ids:
                raise ValueError("in the middle of it")
            return super().run(batch)

    with engine(runner=Leaky) as (one, runner):
        with pytest.raises(InferenceError) as held:
            one.submit(ask(before=9)).completion()
        one.submit(ask(before=3)).completion()
        gc.collect()
        assert [work() for work in runner.works] == [None] * len(runner.works)
        assert held.value.__cause__ is not None


def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_ten_thousand_short_requests_leave_no_block_thread_or_file_and_memory_flat():
    def answer(one, first, count):
        for start in range(first, first + count, 100):
            generations = [
                one.submit(ask(before=1 + i % 20, pictures=((1, 1 + i % 9),), words=i, max_new_tokens=2, seed=i))
                for i in range(start, start + 100)
            ]
            generations[7].cancel()
            del generations[9]
            assert all(generation.completion().finish_reason for generation in generations)

    with engine(num_blocks=300, feature_cache_bytes=2000) as (one, runner):
        answer(one, 0, 2000)
        runner.steps.clear()
        gc.collect()
        memory, threads, files = resident_bytes(), threading.active_count(), open_files()
        answer(one, 2000, 8000)
        runner.steps.clear()
        gc.collect()
        assert resident_bytes() < memory * 1.02
        assert (threading.active_count(), open_files()) == (threads, files)
        one.submit(ask()).completion()
        assert_all_free(one)
