"""Requests on their way: order, bounds, and what happens to them when nobody wants the rest."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from queue import SimpleQueue

import pytest

from vi.inference.pipeline import READERS, Pipeline


class Errand:
    """Something that ends when it is told to."""

    def __init__(self, number):
        self.number, self.cancelled = number, False
        self._done, self._tell, self._lock = False, [], threading.Lock()

    def when_done(self, tell):
        with self._lock:
            if not self._done:
                self._tell.append(tell)
                return
        tell()

    def end(self):
        with self._lock:
            self._done = True
        for tell in self._tell:
            tell()

    def cancel(self):
        self.cancelled = True


def until(true):
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def begun(errands, end=True):
    def begin(number):
        if number < 0:
            raise ValueError(number)
        errand = Errand(number)
        errands.append(errand)
        if end:
            errand.end()
        return errand

    return begin


@pytest.mark.parametrize("window", [1, 3, 50])
def test_everything_comes_out_once_and_in_order(window):
    outcomes = list(Pipeline(begun([]), window).in_order(range(40)))
    assert [ask for ask, _ in outcomes] == [future.result().number for _, future in outcomes] == list(range(40))


def test_as_finished_gives_each_when_it_ends_whatever_came_before():
    errands, taken = [], SimpleQueue()

    def take():
        for ask, _ in Pipeline(begun(errands, end=False), 3).as_finished(range(3)):
            taken.put(ask)

    taker = threading.Thread(target=take)
    taker.start()
    until(lambda: len(errands) == 3)
    for number in (2, 0, 1):
        next(errand for errand in errands if errand.number == number).end()
        assert taken.get(timeout=10) == number
    taker.join()


def test_no_more_are_begun_than_the_window_holds():
    errands, read = [], []

    def sources():
        for number in range(1000):
            read.append(number)
            yield number

    with closing(Pipeline(begun(errands), 7).in_order(sources())) as underway:
        for taken, _ in enumerate(underway, start=1):
            assert len(read) <= taken + 7
            if taken == 30:
                break
    assert len(read) < 40


def test_what_cannot_begin_is_an_outcome_in_its_place():
    for outcomes in (Pipeline(begun([]), 4).in_order([1, -1, 2]), Pipeline(begun([]), 4).as_finished([1, -1, 2])):
        failed = {ask: future.exception() is not None for ask, future in outcomes}
        assert failed == {1: False, -1: True, 2: False}


@pytest.mark.parametrize("way", ["in_order", "as_finished"])
def test_closing_cancels_what_has_begun(way):
    errands = []
    underway = getattr(Pipeline(begun(errands), READERS + 2), way)(range(100))
    next(underway)
    underway.close()
    finished = 1 if way == "as_finished" else 0  # one that was taken out as finished has nothing to cancel
    until(lambda: sum(not errand.cancelled for errand in errands) <= finished)
    assert len(errands) <= READERS + 3


@pytest.mark.parametrize("way", ["in_order", "as_finished"])
def test_an_interrupt_amid_handing_over_leaves_nothing_going_on(way, monkeypatch):
    errands, submit = [], ThreadPoolExecutor.submit

    def interrupted(pool, *call):
        submit(pool, *call)
        until(lambda: errands)
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadPoolExecutor, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        next(getattr(Pipeline(begun(errands, end=False), 4), way)(range(4)))
    until(lambda: all(errand.cancelled for errand in errands))
