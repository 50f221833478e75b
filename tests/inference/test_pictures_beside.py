"""One request about several pictures, and how large a call wants them seen."""

from __future__ import annotations

import pytest
from tests.inference.asking import GREEDY, answer, failure, picture
from tests.inference.media.films import film

from vi.inference import ConfigError, Pictures, PromptError, SourceError

SIZES = [(64, 48), (90, 120)]


def test_several_pictures_are_seen_in_their_places(tiny_model):
    first, second = map(picture, SIZES)
    both, alone, other = (
        tiny_model.estimate(source, "Which?", GREEDY, task_type="generic")
        for source in (Pictures(first, second), first, Pictures(second))
    )
    assert both.image_tokens == alone.image_tokens + other.image_tokens
    usage = answer(tiny_model(Pictures(first, second), "Which?", GREEDY, task_type="generic")).usage
    assert (usage.image_tokens, usage.prompt_tokens) == (both.image_tokens, both.prompt_tokens)


def test_one_of_several_is_the_picture_itself_and_order_matters(tiny_model):
    first, second = map(picture, SIZES)
    said = [
        answer(tiny_model(source, "Which?", GREEDY, task_type="generic"))
        for source in (first, Pictures(first), Pictures(first, second), Pictures(second, first))
    ]
    alone, one, ordered, swapped = ([token.logprob for token in each.logprobs] for each in said)
    assert alone == pytest.approx(one, abs=1e-3)
    assert ordered != pytest.approx(swapped, abs=1e-3)


def test_words_alone_are_answered(tiny_model):
    said = answer(tiny_model(Pictures(), "Which?", GREEDY, task_type="generic"))
    assert (said.usage.image_tokens, said.usage.completion_tokens > 0) == (0, True)
    assert tiny_model.estimate(Pictures(), "Which?", GREEDY, task_type="generic").picture_size == (0, 0)


def test_several_pictures_are_one_source_among_many_and_can_be_streamed(tiny_model):
    both = Pictures(*map(picture, SIZES))
    (together, _), (alone, _) = tiny_model([both, picture()], "Which?", GREEDY, task_type="generic")
    assert together.usage.image_tokens > alone.usage.image_tokens
    assert "".join(tiny_model(both, "Which?", GREEDY, task_type="generic", stream=True)) == together.raw_output


def test_what_is_wrong_with_one_is_said_of_it(tiny_model, tmp_path):
    for source in (tmp_path / "missing.png", tmp_path, [picture()], Pictures()):
        assert isinstance(failure(tiny_model(Pictures(picture(), source), "Go.", task_type="generic")), SourceError)


def test_a_clip_is_asked_about_alone(tiny_model):
    failed = failure(tiny_model(Pictures(film(), picture()), "Which?", GREEDY, task_type="generic"))
    assert isinstance(failed, PromptError)
    assert "together with pictures" in str(failed)


def test_a_system_prompt_replaces_the_tasks_own(tiny_model):
    own, other = (
        answer(tiny_model(picture(), "Which?", GREEDY, task_type="vqa", system_prompt=prompt)).usage.prompt_tokens
        for prompt in (None, "Be brief.")
    )
    assert other < own


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
