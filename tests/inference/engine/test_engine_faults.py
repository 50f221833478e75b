from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.inference.engine.engines import LONG, ask, engine, same
from tests.inference.engine.mixes import GRAMMARS, alone
from tests.inference.engine.numpy_model import NumpyRunner

from vi.inference.errors import InferenceError, SchemaError


class Refusing(NumpyRunner):
    """Out of memory for more than so many tokens, or broken for one token wherever it stands."""

    most = 10_000
    broken: int | None = None

    def run(self, batch, meanwhile=None):
        if len(batch.token_ids) > self.most:
            self.refused = getattr(self, "refused", 0) + 1
            raise InferenceError(f"The device has no memory left for {len(batch.token_ids)} tokens.", "Ask for less.")
        if self.broken in batch.token_ids.tolist():
            raise ZeroDivisionError("this token is bad")
        return super().run(batch, meanwhile)

    def encode(self, media):
        if np.isinf(media["pixels"]).any():
            raise ValueError("these pixels are bad")
        return super().encode(media)


def broken(request):
    pixels = request.prompt.media["pixels"] * np.inf
    return replace(request, prompt=replace(request.prompt, media={"pixels": pixels}, media_key=b"broken"))


def test_out_of_memory_makes_the_steps_smaller_and_nobody_notices():
    class Small(Refusing):
        most = 9

    mix = [ask(before=20 + i, words=i) for i in range(6)]
    with engine(runner=Small, token_budget=64, max_batch=8) as (one, runner):
        for request, generation in zip(mix, [one.submit(request) for request in mix], strict=True):
            assert same(generation.completion(), alone(request).completion())
    assert 0 < runner.refused < 8


def test_a_request_that_finds_no_memory_even_alone_fails_alone():
    class Never(Refusing):
        most = 0

    with engine(runner=Never) as (one, runner):
        generation = one.submit(ask())
        with pytest.raises(InferenceError, match="no memory left for 1 tokens"):
            generation.completion()
        runner.most = 100
        assert one.submit(ask()).completion().token_ids == alone(ask()).token_ids


def test_a_request_that_cannot_be_run_fails_alone_with_its_cause():
    class Broken(Refusing):
        broken = 13  # the fourth word of every prompt that is longer

    good = [ask(before=3, words=i) for i in range(5)]
    with engine(runner=Broken) as (one, _):
        generations = [one.submit(request) for request in [*good[:2], ask(before=9), *good[2:]]]
        failing = generations.pop(2)
        with pytest.raises(InferenceError, match="this token is bad") as raised:
            list(failing)
        assert isinstance(raised.value.__cause__, ZeroDivisionError)
        for request, generation in zip(good, generations, strict=True):
            assert same(generation.completion(), alone(request).completion())


def test_a_picture_that_cannot_be_encoded_fails_alone_with_its_cause():
    request = ask(pictures=((2, 2),))
    with engine(runner=Refusing) as (one, _):
        before, failing, after = one.submit(request), one.submit(broken(request)), one.submit(request)
        with pytest.raises(InferenceError, match="these pixels are bad"):
            failing.completion()
        assert before.completion().token_ids == after.completion().token_ids == alone(request).token_ids


def test_features_make_room_for_a_picture_that_needs_it():
    class Full(NumpyRunner):
        loop = None

        def encode(self, media):
            if self.loop is not None and len(self.loop.underway.feature_cache):
                raise InferenceError("The device has no memory left for this picture.")
            return super().encode(media)

    first, second = ask(pictures=((2, 2),)), ask(pictures=((3, 4),))
    with engine(runner=Full) as (one, runner):
        runner.loop = one._loop
        for request in (first, second):
            assert one.submit(request).completion().token_ids == alone(request).token_ids


def test_logits_that_are_not_numbers_fail_their_row_alone():
    class Cracked(NumpyRunner):
        def run(self, batch, meanwhile=None):
            logits = super().run(batch, meanwhile)
            bad = [13 in batch.token_ids[a:b] for a, b in zip(batch.begins, batch.begins[1:], strict=False)]
            if len(bad) == len(logits):
                logits[bad] = np.nan
            return logits

    with engine(runner=Cracked) as (one, _):
        good, bad = one.submit(ask(before=3)), one.submit(ask(before=9, words=1))
        with pytest.raises(InferenceError, match="not finite"):
            bad.completion()
        assert good.completion().token_ids == alone(ask(before=3)).token_ids


def test_a_prompt_that_can_never_fit_fails_alone_with_the_numbers():
    with engine(num_blocks=10) as (one, _):
        small, large = one.submit(ask()), one.submit(ask(before=50))
        with pytest.raises(InferenceError, match="needs 14 blocks of 4 tokens; the cache has 10"):
            large.completion()
        assert small.completion().token_ids == alone(ask()).token_ids


def test_an_answer_that_outgrows_the_cache_fails_alone_with_the_numbers():
    with engine(num_blocks=10) as (one, _):
        large, small = one.submit(ask(grammar=LONG, max_new_tokens=200)), one.submit(ask(words=1))
        with pytest.raises(InferenceError, match="have outgrown the cache of 10 blocks of 4 tokens"):
            large.completion()
        assert small.completion().token_ids == alone(ask(words=1)).token_ids


def test_a_grammar_that_cannot_be_enforced_is_refused_at_once():
    with engine() as (one, _), pytest.raises(SchemaError):
        one.submit(ask(grammar=replace(GRAMMARS[1], text="start: nothing")))
