from __future__ import annotations

import gc
import os
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from tests.inference.engine.ends import check_closing, check_unheld
from tests.inference.engine.engines import LONG, PLENTY, ask, assert_all_free, engine
from tests.inference.engine.mixes import GRAMMARS, alone, the_model, the_vocabulary
from tests.inference.engine.numpy_model import NumpyRunner

from vi.inference.engine.batching import BatchingEngine
from vi.inference.engine.settings import EngineSettings
from vi.inference.errors import InferenceError


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


def test_a_dead_thread_fails_all_who_wait_with_the_cause_and_refuses_the_next():
    everybody_is_here = threading.Event()

    class Mortal(NumpyRunner):
        def run(self, batch, meanwhile=None):
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
        check_closing(one, ask(grammar=LONG, max_new_tokens=3000), ask(grammar=None), ask(grammar=GRAMMARS[3]))


def test_an_engine_that_nobody_holds_ends_its_thread_but_not_before_its_answers():
    check_unheld(lambda: BatchingEngine(NumpyRunner(the_model(), 100, 4), the_vocabulary()).submit(ask()))


def test_a_failed_request_keeps_no_memory_even_while_its_error_is_held():
    class Leaky(NumpyRunner):
        works = ()

        def run(self, batch, meanwhile=None):
            work = np.zeros(1000)
            self.works = [*self.works, weakref.ref(work)]
            if 13 in batch.token_ids:
                raise ValueError("in the middle of it")
            return super().run(batch, meanwhile)

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
