from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.media.reading_ahead import read_ahead


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(1, 4), st.integers(0, 5))
def test_items_come_in_their_order_whoever_is_done_first(pauses, workers, ahead):
    def read(pause: int) -> int:
        time.sleep(pause / 10_000)
        return pause

    got = [(item, task.result()) for item, task in read_ahead(pauses, read, workers=workers, ahead=ahead)]
    assert got == [(pause, pause) for pause in pauses]


def test_no_more_are_read_at_once_or_ahead_than_was_said():
    running, most, begun = 0, 0, 0
    lock = threading.Lock()

    def read(item: int) -> int:
        nonlocal running, most, begun
        with lock:
            running, begun = running + 1, begun + 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1
        return item

    for taken, _ in enumerate(read_ahead(range(50), read, workers=3, ahead=5), 1):
        assert begun <= taken + 5
    assert most <= 3


def test_an_error_stays_with_its_item():
    def read(item: int) -> float:
        return 1 / item

    tasks = [task for _, task in read_ahead([1, 0, 2], read)]
    assert [task.result() for task in (tasks[0], tasks[2])] == [1.0, 0.5]
    with pytest.raises(ZeroDivisionError):
        tasks[1].result()


def test_items_are_drawn_as_there_is_room():
    drawn: list[int] = []

    def items():
        for i in range(100):
            drawn.append(i)
            yield i

    reading = read_ahead(items(), lambda item: item, workers=2, ahead=3)
    next(reading)
    assert len(drawn) == 4
    reading.close()


def test_closing_begins_nothing_further_and_leaves_no_thread():
    started = threading.Semaphore(0)
    go_on = threading.Event()

    def read(item: int) -> int:
        if item:
            started.release()
            go_on.wait(10)
        return item

    before = threading.active_count()
    reading = read_ahead(range(9), read, workers=2, ahead=8)
    next(reading)
    started.acquire(timeout=10)
    reading.close()
    go_on.set()
    for _ in range(1000):
        if threading.active_count() <= before:
            break
        time.sleep(0.01)
    assert threading.active_count() <= before
