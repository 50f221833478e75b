"""Where the time of an engine's steps goes, by part, as seen from the thread that owns the device."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from vi.inference.engine import collector, device_loop
from vi.inference.engine.batch import Batch
from vi.inference.engine.device_loop import DeviceLoop
from vi.inference.sampling.detokenizer import ByteDetokenizer
from vi.inference.structured.constraint import Constraint

PREFILL, DECODE, FORWARD, INPUTS = "prefill", "decode", "forward", "inputs"
SCHEDULER, GRAMMAR, OTHER, IDLE = "scheduler", "grammar", "other", "idle"
LOOP = (OTHER, IDLE)
MOST_FORCED = 4  # tokens a request, on average


class Parts:
    """Seconds by part, each without the parts within it; ``other`` is what remains of the loop.

    What other threads do is not counted: pictures that are encoded beside the batch, and of a forward call that runs
    while grammar masks are made only what is waited for. Counting costs about a microsecond a call.
    """

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._open: list[tuple[str, float]] = []
        self._phase = DECODE
        self._thread: int | None = None  # the device's, known once it steps

    def timed(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, on the clock."""

        def call(*arguments: Any, **options: Any) -> Any:
            if part in LOOP and self._thread is None:
                self._thread = threading.get_ident()
            if threading.get_ident() != self._thread:
                return function(*arguments, **options)
            if part == INPUTS and arguments and isinstance(arguments[0], Batch):
                self._phase = _phase(arguments[0])
            self._enter(self._phase if part == FORWARD else part)
            try:
                return function(*arguments, **options)
            finally:
                self._leave()

        return call

    @contextmanager
    def of(self, loop: DeviceLoop) -> Iterator[Parts]:
        """Count what this loop does, for as long as the block lasts."""
        with ExitStack() as stack:
            for owner, name, part in _places(loop):
                stack.enter_context(patch.object(owner, name, self.timed(part, getattr(owner, name))))
            yield self

    def _enter(self, part: str) -> None:
        now = time.perf_counter()
        if self._open:
            self._charge(now)
        self._open.append((part, now))

    def _leave(self) -> None:
        now = time.perf_counter()
        self._charge(now)
        self._open.pop()
        if self._open:
            self._open[-1] = (self._open[-1][0], now)

    def _charge(self, now: float) -> None:
        part, since = self._open[-1]
        self.seconds[part] += now - since


def _phase(batch: Batch) -> str:
    """A step that reads a prompt computes many tokens a request; decoding ones a token, or a few that were forced."""
    return PREFILL if len(batch.token_ids) > MOST_FORCED * len(batch.past_lens) else DECODE


def _places(loop: DeviceLoop) -> list[tuple[Any, str, str]]:
    """(owner, name, part) of what is counted."""
    runner: Any = loop.runner
    return [
        (loop, "step", OTHER),
        (loop, "receive", IDLE),
        (loop.underway, "add", SCHEDULER),
        (loop.underway, "look_ahead", SCHEDULER),
        (loop.underway, "schedule", SCHEDULER),
        (loop.underway.scheduler, "computed", SCHEDULER),
        (runner, "encode", "vision"),
        (runner, "run", INPUTS),
        *((runner._language, name, FORWARD) for name in ("infer", "start_async", "wait")),
        (device_loop, "assemble", "assembly"),
        (collector, "choose", "sampler"),
        (Constraint, "allowed", GRAMMAR),
        (Constraint, "forced", GRAMMAR),
        (Constraint, "advance", GRAMMAR),
        (ByteDetokenizer, "push", "detokenizer"),
    ]
