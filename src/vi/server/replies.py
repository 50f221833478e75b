"""The streams of one request, brought from the threads that wait for them to the event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from vi.inference.events import DoneEvent

if TYPE_CHECKING:
    from vi.inference.events import Event
    from vi.inference.stream import Stream
    from vi.inference.task_types.response import PredictionResponse


class Replies:
    """Begins streams, a thread each, and gives their events to the event loop as they come.

    ``close()`` stops them within a step; ``ended`` is done when every thread has let go of everything. Events that
    nobody reads yet are never more than answers have tokens, so a slow reader holds up nobody.
    """

    def __init__(self, begin: Sequence[Callable[[], Stream]], threads: Executor, *, pieces: bool) -> None:
        """pieces: give all events, and not only each stream's last, ``done``."""
        self._pieces = pieces
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[int, Event] | BaseException | None] = asyncio.Queue()
        self._streams: dict[int, Stream] = {}
        self._unwanted = False
        self._count = len(begin)
        self.responses: dict[int, PredictionResponse] = {}
        runs = [self._loop.run_in_executor(threads, self._run, index, one) for index, one in enumerate(begin)]
        self.ended = asyncio.gather(*runs)

    def close(self) -> None:
        """Stop; nothing after the end."""
        self._unwanted = True
        for stream in list(self._streams.values()):
            stream.cancel()

    async def __aiter__(self) -> AsyncIterator[tuple[int, Event]]:
        """(number of the stream, event). Raises what the first that fails raises."""
        running = self._count
        while running:
            item = await self._queue.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                running -= 1
            else:
                yield item

    async def answers(self) -> list[PredictionResponse]:
        """The typed answers, once all are written. Raises as iterating does."""
        async for _ in self:
            pass
        return [self.responses[index] for index in range(self._count)]

    def _run(self, index: int, begin: Callable[[], Stream]) -> None:
        try:
            if not self._unwanted:
                self._follow(index, begin)
            self._tell(None)
        except BaseException as error:
            self._tell(error)
        finally:
            self._streams.pop(index, None)

    def _follow(self, index: int, begin: Callable[[], Stream]) -> None:
        with begin() as stream:
            self._streams[index] = stream
            if self._unwanted:  # it went away while the source was read
                return
            events = stream.events() if self._pieces else (DoneEvent(response=stream.get_final_completion()),)
            for event in events:
                if isinstance(event, DoneEvent):
                    self.responses[index] = event.response
                self._tell((index, event))

    def _tell(self, item: tuple[int, Event] | BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)
        except RuntimeError:  # the loop is closed: nobody listens any more
            self._unwanted = True


def as_json(response: PredictionResponse) -> dict[str, Any]:
    """An answer as it goes over HTTP: its JSON, and the name of its class as ``type``."""
    return {"type": type(response).__name__, **json.loads(response.model_dump_json())}
