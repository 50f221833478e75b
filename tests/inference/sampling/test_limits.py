from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.sampling.settings import configs

from vi.inference.sampling.limits import Limits
from vi.inference.sampling.sampler import Row, choose

VOCAB = 40
DICE = np.random.default_rng(0)
MASKS = [None, *(np.append(DICE.random(VOCAB - 1) < share, True) for share in (0.1, 0.5, 0.9))]
BANNED = np.arange(VOCAB) < 3
STEPS = st.lists(st.lists(st.sampled_from(range(len(MASKS))), min_size=1, max_size=5), min_size=1, max_size=6)


@pytest.mark.parametrize("library", [np.asarray, torch.as_tensor])
@given(steps=STEPS)
def test_rows_that_were_kept_are_what_they_would_be_anew(library, steps):
    limits = Limits(library(BANNED))
    for numbers in steps:
        masks = [MASKS[number] for number in numbers]
        found = limits.of(masks)
        if not any(numbers):
            assert found is None
            continue
        expected = [(np.ones(VOCAB, bool) if mask is None else mask) & ~BANNED for mask in masks]
        np.testing.assert_array_equal(np.asarray(found), np.where(expected, np.inf, -np.inf))


@given(mix=st.lists(configs(3), min_size=1, max_size=5), numbers=st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_limits_made_ahead_choose_the_same_tokens(mix, numbers):
    logits = np.random.default_rng(len(mix)).normal(size=(len(mix), VOCAB)).astype(np.float32) * 3
    masks = [MASKS[number] for number in numbers[: len(mix)]]
    rows = [Row(c, np.arange(9), mask, i) for i, (c, mask) in enumerate(zip(mix, masks, strict=True))]
    assert choose(logits, rows, BANNED, Limits(BANNED).of(masks)) == choose(logits, rows, BANNED)
