"""A training's steps: mostly pictures, one in so many of clips, the same whenever a training goes on."""

from __future__ import annotations

import pytest
import torch
from training.workbench import tokens
from training.workbench.course import CLIPS_EVERY, Course, loader


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    tokens.build(folder, scenes=100)
    return str(folder / "tokenizer.json")


def test_one_step_in_so_many_is_about_clips(tokenizer_file):
    course = Course(2, 2, tokenizer_file, 2 * CLIPS_EVERY)
    of_clips = [course[step].pictures.dim() == 5 for step in range(2 * CLIPS_EVERY)]
    assert of_clips == [False] * (CLIPS_EVERY - 1) + [True] + [False] * (CLIPS_EVERY - 1) + [True]


def test_before_questions_there_are_no_clips():
    course = Course(2, 1, None, CLIPS_EVERY)
    assert all(course[step].pictures.dim() == 4 for step in range(CLIPS_EVERY))


def test_a_training_that_goes_on_sees_what_it_would_have_seen(tokenizer_file):
    at_once = list(loader(3, 2, tokenizer_file, 0, CLIPS_EVERY + 1, workers=0))
    later = list(loader(3, 2, tokenizer_file, CLIPS_EVERY - 1, CLIPS_EVERY + 1, workers=0))
    for first, second in zip(at_once[-2:], later, strict=True):
        assert torch.equal(first.pictures, second.pictures)
        assert torch.equal(first.pack.ids, second.pack.ids)
