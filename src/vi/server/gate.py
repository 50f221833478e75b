"""How many answers are underway, and the door that closes when they are too many or the server is leaving."""

from __future__ import annotations

import math
import time
from types import TracebackType

from vi.server.envelope import ApiError


class Gate:
    """Admits up to ``most`` answers at once; the event loop alone uses it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._mean_seconds = 1.0  # of recent requests, for Retry-After
        self.underway = 0
        self.draining = False

    def enter(self, answers: int = 1) -> Pass:
        """Room for a request of so many answers. Raises ApiError 429 with Retry-After, 503 while draining."""
        if self.draining:
            raise ApiError(503, "draining", "The server is shutting down.", "Ask another one.")
        if self.underway + answers > self._most:
            wait = str(min(60, max(1, math.ceil(self._mean_seconds))))
            raise ApiError(
                429,
                "queue_full",
                f"{self.underway} of {self._most} answers are underway.",
                f"Ask again in {wait} s.",
                headers={"Retry-After": wait},
            )
        self.underway += answers
        return Pass(self, answers)

    def leave(self, answers: int, seconds: float) -> None:
        self.underway -= answers
        self._mean_seconds += 0.1 * (seconds - self._mean_seconds)


class Pass:
    """A request's place among those underway, given back once: when its last thread has ended."""

    def __init__(self, gate: Gate, answers: int) -> None:
        self._gate, self._answers, self._since = gate, answers, time.monotonic()

    def give_back(self) -> None:
        answers, self._answers = self._answers, 0
        if answers:
            self._gate.leave(answers, time.monotonic() - self._since)

    def __enter__(self) -> Pass:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()
