from __future__ import annotations

import os
import signal
import sys
import threading

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to oneself")
@pytest.mark.parametrize("wait", ["completion", "__next__"])
def test_an_interrupt_while_waiting_cancels(engine, endless, wait):
    running = engine.submit(endless)
    waiting = engine.submit(endless)  # behind the running one, so that there is time to interrupt
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        getattr(waiting, wait)()
    running.cancel()
    assert waiting.completion().finish_reason == "cancelled"


def test_iterating_twice_gives_nothing_twice(engine, ask):
    generation = engine.submit(ask())
    first, rest = next(generation), list(generation)
    assert rest
    assert first + "".join(rest) == generation.completion().text
    assert list(generation) == []
