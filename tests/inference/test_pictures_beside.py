"""One request about several pictures, and how large a call wants them seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.inference.asking import GREEDY, answer, failure, picture
from tests.inference.media.films import film

from vi.inference import ConfigError, PromptError
from vi.inference.asks import Ask, Asks
from vi.inference.call import CallOptions
from vi.inference.media.items import memory_item
from vi.inference.media.policy import MediaPolicy

SIZES = [(64, 48), (90, 120)]


def asked(model, *sources) -> Ask:
    options = CallOptions(generation_config=GREEDY, task_type="generic")
    (ask,) = Asks(model._files.record, sources[:1], "Which?", options, MediaPolicy())
    return replace(ask, beside=tuple(map(memory_item, sources[1:])))


def test_pictures_beside_the_first_are_seen_too(tiny_model):
    first, second = map(picture, SIZES)
    both, alone, other = (
        tiny_model._answerer.estimate(asked(tiny_model, *of)) for of in ((first, second), (first,), (second,))
    )
    assert both.image_tokens == alone.image_tokens + other.image_tokens
    begun = tiny_model._answerer.ask(asked(tiny_model, first, second))
    usage = begun.respond(begun.generation.completion()).usage
    assert (usage.image_tokens, usage.prompt_tokens) == (both.image_tokens, both.prompt_tokens)


def test_a_clip_is_asked_about_alone(tiny_model):
    with pytest.raises(PromptError, match="together with pictures"):
        tiny_model._answerer.ask(asked(tiny_model, film(), picture()))


def test_an_estimate_tells_the_tokens_before_and_after_a_bound(tiny_model):
    shown, most = picture((200, 160)), 4 * 28 * 28
    free = tiny_model.estimate(shown, "Which?", GREEDY, task_type="generic")
    bound = tiny_model.estimate(shown, "Which?", GREEDY, task_type="generic", max_pixels=most)
    assert free.image_tokens == free.image_tokens_before == bound.image_tokens_before
    assert bound.image_tokens <= 4 < free.image_tokens
    asked = tiny_model(shown, "Which?", GREEDY, task_type="generic", max_pixels=most)
    assert answer(asked).usage.image_tokens == bound.image_tokens


def test_frames_of_a_clip_keep_the_bound(tiny_model):
    free, bound = (
        tiny_model.estimate(film(), "Which?", GREEDY, task_type="generic", fps=2, **more)
        for more in ({}, {"max_pixels": 28 * 28})
    )
    assert (bound.image_tokens, bound.image_tokens_before) == (1, free.image_tokens)


@pytest.mark.parametrize("bounds", [{"max_pixels": 0}, {"min_pixels": 9, "max_pixels": 8}])
def test_bounds_that_cannot_be_are_refused_before_anything_is_read(tiny_model, bounds):
    assert isinstance(failure(tiny_model("no/such.png", "Which?", task_type="generic", **bounds)), ConfigError)
    with pytest.raises(ConfigError, match="max_pixels"):
        tiny_model(["no/such.png"], "Which?", task_type="generic", **bounds)
