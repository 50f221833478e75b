"""The parts of a running server that its routes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from vi.server.envelope import ApiError
from vi.server.gate import Gate, Pass
from vi.server.metrics import Metrics
from vi.server.replies import Replies
from vi.server.shelf import Loan, Shelf

if TYPE_CHECKING:
    from vi.inference.model import ViModel
    from vi.inference.stream import Stream
    from vi.server.settings import ServerSettings

LOADERS = 2  # threads beyond those of requests, so that a model loads while all of those are busy


class Serving:
    """Models, the door to them, and what is counted; one event loop uses it."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.limits = settings.limits
        self.threads = ThreadPoolExecutor(settings.limits.underway + LOADERS, thread_name_prefix="vi-request")
        self.shelf = Shelf(settings.models, settings.max_loaded, settings.media_policy, self.threads)
        self.gate = Gate(settings.limits.underway)
        self.metrics = Metrics(self.gate, self.shelf)

    async def begin(self, name: str, calls: Sequence[Callable[[ViModel], Stream]], *, pieces: bool) -> Replies:
        """Borrow a model and begin these calls, all of one request.

        Model and place are given back when the last has ended. Raises ApiError 404, 429 and 503, and what loading a
        model raises.
        """
        place = self.gate.enter(len(calls))
        try:
            loan = await self.shelf.borrow(name)
        except BaseException:
            place.give_back()
            raise
        if loan.model.state.failure is not None:
            loan.give_back()
            place.give_back()
            raise ApiError(503, "engine_stopped", "The model's engine has stopped.", "The server has to be restarted.")
        replies = Replies([partial(call, loan.model) for call in calls], self.threads, pieces=pieces)
        replies.ended.add_done_callback(lambda _: self._end(loan, place, replies))
        return replies

    def _end(self, loan: Loan, place: Pass, replies: Replies) -> None:
        loan.give_back()
        place.give_back()
        for response in replies.responses.values():
            self.metrics.answered(loan.name, response)

    async def close(self) -> None:
        """Close every model, which ends what is underway."""
        await self.shelf.close()
        self.threads.shutdown(wait=False, cancel_futures=True)
