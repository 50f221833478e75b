from __future__ import annotations

import os
import signal
import sys
import threading

import pytest
from tests.inference.engine.mixes import prompt, the_model, the_vocabulary
from tests.inference.engine.numpy_model import NumpyRunner
from tests.inference.engine.samples import LONG

from vi.inference.engine.batching import BatchingEngine
from vi.inference.engine.request import Request
from vi.inference.engine.settings import EngineSettings
from vi.inference.generation_config import GenerationConfig


@pytest.fixture
def engine():
    engine = BatchingEngine(NumpyRunner(the_model(), 600, 8), the_vocabulary(), EngineSettings(max_batch=1))
    yield engine
    engine.close()


def ask(max_new_tokens, grammar=None):
    return Request(prompt(5, (), 3), GenerationConfig(max_new_tokens=max_new_tokens, loop_detection=False), grammar)


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to oneself")
@pytest.mark.parametrize("wait", ["completion", "__next__"])
def test_an_interrupt_while_waiting_cancels(engine, wait):
    running = engine.submit(ask(4000, LONG))
    waiting = engine.submit(ask(4000, LONG))  # so that there is time to interrupt
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        getattr(waiting, wait)()
    running.cancel()
    assert waiting.completion().finish_reason == "cancelled"


def test_iterating_twice_gives_nothing_twice(engine):
    generation = engine.submit(ask(20))
    first, rest = next(generation), list(generation)
    assert rest
    assert first + "".join(rest) == generation.completion().text
    assert list(generation) == []
