"""Sources read by a few threads before their turn comes, in order and never more than a few at a time."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_Task = tuple["Future[R]", T]


def read_ahead(
    items: Iterable[T], read: Callable[[T], R], *, workers: int = 4, ahead: int = 8
) -> Generator[tuple[T, Future[R]], None, None]:
    """Each item with the finished future of ``read(item)``, in the items' own order.

    Up to ``workers`` items are read at once, and up to ``ahead`` are begun or done before they are asked for; what
    ``read`` raises is in its own future and stops nothing. ``items`` is drawn from as there is room. Closing the
    generator begins no further item; what has begun ends by itself and does not keep the program from ending.
    """
    tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
    waiting: deque[tuple[T, Future[R]]] = deque()
    threads = 0
    try:
        for item in items:
            task: Future[R] = Future()
            waiting.append((item, task))
            tasks.put((task, item))
            if threads < workers:
                threads += 1
                threading.Thread(target=_work, args=(tasks, read), daemon=True).start()
            if len(waiting) > ahead:
                yield _done(waiting)
        while waiting:
            yield _done(waiting)
    finally:
        for _, task in waiting:
            task.cancel()
        for _ in range(threads):
            tasks.put(None)


def _done(waiting: deque[tuple[T, Future[R]]]) -> tuple[T, Future[R]]:
    item, task = waiting[0]
    task.exception()  # waits
    waiting.popleft()
    return item, task


def _work(tasks: queue.SimpleQueue, read: Callable[[T], R]) -> None:
    while (task := tasks.get()) is not None:
        future, item = task
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(read(item))
        except BaseException as error:
            future.set_exception(error)
        del task, future, item  # a waiting thread keeps no picture alive
