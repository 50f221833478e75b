"""Words for what is not there: none that was kept back is ever in training."""

from __future__ import annotations

import numpy as np
from training.workbench.things import ABSENT_THINGS, ABSENT_UNSEEN, absent_thing, made_up


def test_what_is_kept_back_is_never_asked_about_in_training():
    rng = np.random.default_rng(0)
    asked = {absent_thing(rng, unseen=False) for _ in range(3000)}
    assert not asked & set(ABSENT_UNSEEN)
    assert len(asked - set(ABSENT_THINGS)) > 1000
    assert {absent_thing(rng, unseen=True) for _ in range(200)} == set(ABSENT_UNSEEN)


def test_made_up_words_are_lower_case_words():
    rng = np.random.default_rng(1)
    assert all(word.isalpha() and word.islower() for word in (made_up(rng) for _ in range(200)))
