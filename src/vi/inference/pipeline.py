"""Many requests on their way: a few threads read and prepare sources while earlier ones are answered, bounded ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Generic, Protocol, TypeVar

READERS = 2  # threads that fetch, decode and prepare; most of that leaves Python's lock

Ask = TypeVar("Ask")
Asked = TypeVar("Asked", bound="Underway")


class Underway(Protocol):
    """Something begun that will end."""

    def when_done(self, tell: Callable[[], None]) -> None: ...
    def cancel(self) -> None: ...


class Pipeline(Generic[Ask, Asked]):
    """Begins at most ``window`` requests more than were taken out, so 100,000 sources take no more memory than these.

    begin: reads a source and submits its request; called in the reading threads. What it raises is raised by the
    outcome's ``begun()`` and by no other.
    """

    def __init__(self, begin: Callable[[Ask], Asked], window: int) -> None:
        self._begin = begin
        self._window = max(window, READERS)

    def in_order(self, asks: Iterable[Ask]) -> Generator[tuple[Ask, Future[Asked]], None, None]:
        """(ask, what was begun) in the order of ``asks``; closing it cancels what has begun."""
        ahead: deque[tuple[Ask, Future[Asked]]] = deque()
        pool = ThreadPoolExecutor(READERS, thread_name_prefix="vi-reader")
        source = iter(asks)
        try:
            while self._fill(source, ahead, pool):
                wait((ahead[0][1],))
                yield ahead[0]  # until the next is asked for, it is among those that closing cancels
                ahead.popleft()
        finally:
            _stop(pool, (future for _, future in ahead))

    def as_finished(self, asks: Iterable[Ask]) -> Generator[tuple[Ask, Future[Asked]], None, None]:
        """(ask, what was begun) as they end; closing it cancels what has begun."""
        underway: dict[int, tuple[Ask, Future[Asked]]] = {}
        ended: SimpleQueue[int] = SimpleQueue()
        pool = ThreadPoolExecutor(READERS, thread_name_prefix="vi-reader")
        source = enumerate(asks)
        try:
            while True:
                while len(underway) < self._window and (following := next(source, None)) is not None:
                    number, ask = following
                    future: Future[Asked] = Future()
                    underway[number] = (ask, future)
                    future.add_done_callback(_telling(ended, number))
                    pool.submit(self._fulfil, future, ask)
                if not underway:
                    return
                yield underway.pop(ended.get())
        finally:
            _stop(pool, (future for _, future in underway.values()))

    def _fill(self, source: Iterator[Ask], ahead: deque[tuple[Ask, Future[Asked]]], pool: ThreadPoolExecutor) -> bool:
        while len(ahead) < self._window and (ask := next(source, _END)) is not _END:
            future: Future[Asked] = Future()
            ahead.append((ask, future))  # type: ignore[arg-type]
            pool.submit(self._fulfil, future, ask)  # type: ignore[arg-type]
        return bool(ahead)

    def _fulfil(self, future: Future[Asked], ask: Ask) -> None:
        """In a reading thread. The future was noted before: an interrupt amid ``submit`` would leave one unknown."""
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(self._begin(ask))
        except BaseException as error:
            future.set_exception(error)
            del future, ask  # the error's traceback holds this frame


_END = object()


def _telling(ended: SimpleQueue[int], number: int) -> Callable[[Future], None]:
    """Puts the number where the ends are counted, once the request has ended or could not begin."""

    def begun(future: Future) -> None:
        if future.cancelled() or future.exception() is not None:
            ended.put(number)
        else:
            future.result().when_done(lambda: ended.put(number))

    return begun


def _stop(pool: ThreadPoolExecutor, futures: Iterable[Future]) -> None:
    """Cancel what has begun and what will have: a reader may be amid a slow source, which nobody waits for."""
    pool.shutdown(wait=False, cancel_futures=True)
    for future in futures:
        future.add_done_callback(_cancel)


def _cancel(future: Future) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().cancel()
