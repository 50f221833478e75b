from __future__ import annotations

import threading

import pytest
from tests.inference.engine.engines import PLENTY, ask, engine, same
from tests.inference.engine.mixes import alone
from tests.inference.engine.numpy_model import NumpyRunner


class Alone(NumpyRunner):
    encodes_beside = False


@pytest.mark.parametrize("runner", [NumpyRunner, Alone])
def test_pictures_are_encoded_once_each_and_answers_are_those_of_requests_alone(runner):
    mix = [ask(pictures=((2, 2 + i % 3),), words=i) for i in range(12)]
    with engine(runner=runner, **PLENTY, max_batch=3) as (one, its_runner):
        for request, generation in zip(mix, [one.submit(request) for request in mix], strict=True):
            assert same(generation.completion(), alone(request).completion())
    assert its_runner.encoded == len({request.prompt.media_key for request in mix})


def test_others_decode_while_a_picture_is_encoded():
    class Slow(NumpyRunner):
        seen = threading.Event()

        def encode(self, media):
            assert self.seen.wait(20)
            return super().encode(media)

    with engine(runner=Slow, **PLENTY) as (one, runner):
        text = one.submit(ask(words=1))
        picture = one.submit(ask(pictures=((2, 2),)))
        assert same(text.completion(), alone(ask(words=1)).completion())
        runner.seen.set()
        assert same(picture.completion(), alone(ask(pictures=((2, 2),))).completion())


def test_who_is_cancelled_while_its_picture_is_encoded_leaves_nothing():
    class Slow(NumpyRunner):
        begun, seen = threading.Event(), threading.Event()

        def encode(self, media):
            self.begun.set()
            assert self.seen.wait(20)
            return super().encode(media)

    with engine(runner=Slow, **PLENTY) as (one, runner):
        picture, behind = one.submit(ask(pictures=((2, 2),))), one.submit(ask(words=2))
        assert runner.begun.wait(20)
        picture.cancel()
        runner.seen.set()
        assert same(behind.completion(), alone(ask(words=2)).completion())
        assert picture.completion().finish_reason == "cancelled"
