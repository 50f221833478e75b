"""What the server counts, for Prometheus, in a registry of its own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from vi.inference.task_types.response import PredictionResponse
    from vi.server.gate import Gate
    from vi.server.shelf import Shelf

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_TOKEN_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)


class Metrics:
    """Counters and histograms; gauges are read when somebody scrapes. Times are in seconds."""

    def __init__(self, gate: Gate, shelf: Shelf) -> None:
        self._registry = registry = CollectorRegistry()
        counter, histogram = partial(Counter, registry=registry), partial(Histogram, registry=registry)
        self._requests = counter("vi_requests", "Requests by route and status.", ["route", "status"])
        self._errors = counter("vi_errors", "Errors by code.", ["code"])
        self._seconds = histogram("vi_request_seconds", "A whole request.", ["route"], buckets=_SECONDS)
        self._tokens = counter("vi_tokens", "Tokens; cached prompt tokens were not computed again.", ["model", "kind"])
        self._first = histogram("vi_time_to_first_token_seconds", "In the engine.", ["model"], buckets=_SECONDS)
        self._each = histogram("vi_token_seconds", "Mean decode step of an answer.", ["model"], buckets=_TOKEN_SECONDS)
        self._finished = counter("vi_answers", "Answers by how they ended.", ["model", "finish_reason"])
        self._gauge("vi_underway", "Answers underway or waiting.", lambda: gate.underway)
        self._gauge("vi_running", "Answers in the engines' batches.", lambda: _sum(shelf, "running"))
        self._gauge("vi_queue", "Answers that wait for a place in a batch.", lambda: _sum(shelf, "waiting"))
        self._gauge("vi_models_loaded", "Models in memory.", lambda: len(list(shelf.loaded())))

    def answered(self, model: str, answer: PredictionResponse) -> None:
        """An answer is complete."""
        usage, timings = answer.usage, answer.timings
        kinds = {"prompt": usage.prompt_tokens, "image": usage.image_tokens, "cached": usage.cached_tokens}
        for kind, count in (kinds | {"completion": usage.completion_tokens}).items():
            self._tokens.labels(model, kind).inc(count)
        self._first.labels(model).observe(timings.time_to_first_token)
        if usage.completion_tokens > 1:
            self._each.labels(model).observe(timings.per_token)
        self._finished.labels(model, answer.finish_reason).inc()

    def responded(self, route: str, status: int, seconds: float) -> None:
        """A request has had its whole response."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def failed(self, code: str) -> None:
        """A request, or one stream of it, ended in an error."""
        self._errors.labels(code).inc()

    def text(self) -> bytes:
        """All of it in Prometheus's text format."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, help: str, value: Any) -> None:
        Gauge(name, help, registry=self._registry).set_function(value)


def _sum(shelf: Shelf, what: str) -> int:
    states: Iterable[Any] = (model.state for _, model in shelf.loaded())
    return sum(getattr(state, what) for state in states)
