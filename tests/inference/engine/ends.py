"""How every engine ends, whichever it is."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from vi.inference.engine.generation import Generation
from vi.inference.engine.request import Request
from vi.inference.errors import Cancelled, InferenceError


def device_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "vi-device"]


def check_closing(engine: Any, long: Request, *others: Request) -> None:
    """It fails the one that runs and the one that waits, and refuses those that come after. long: does not end soon."""
    running, waiting = engine.submit(long), engine.submit(long)
    next(running)
    engine.close()
    engine.close()
    for generation in (running, waiting):
        with pytest.raises(Cancelled, match="closed"):
            generation.completion()
        with pytest.raises(Cancelled):
            list(generation)
    for request in (long, *others):
        with pytest.raises(InferenceError, match=r"closed\. Load it again"):
            engine.submit(request)


def check_unheld(begin: Callable[[], Generation]) -> None:
    """Where nobody holds the engine, its thread ends, but not before the answer. begin: of an engine of its own."""
    before = len(device_threads())
    generation = begin()
    gc.collect()
    assert len(device_threads()) == before + 1
    assert generation.completion().token_ids
    del generation
    gc.collect()
    assert len(device_threads()) == before
