"""Questions in many wordings, of which training never sees those kept back for the evaluation."""

from __future__ import annotations

import re

import numpy as np
import pytest
from training.workbench.asking import ask
from training.workbench.wordings import WORDINGS

SLOTS = {
    "kind": "bolt", "kinds": "bolts", "colour": "red", "part": "red bolt", "other": "blue nut", "thing": "car",
    "side": "left of", "target": "red bolt",
}  # fmt: skip


def bare(text: str) -> str:
    return re.sub(r"[^a-z]+", " ", text.lower()).strip()


@pytest.mark.parametrize("form", WORDINGS)
def test_training_never_asks_in_a_wording_that_is_kept_back(form):
    kept_back = {bare(wording.format(**SLOTS)) for wording in WORDINGS[form][1]}
    rng = np.random.default_rng(0)
    asked = {bare(ask(rng, form, False, **SLOTS)) for _ in range(4000)}
    assert not asked & kept_back
    assert len(asked) > 5 * len(WORDINGS[form][0])


@pytest.mark.parametrize("form", WORDINGS)
def test_the_evaluation_asks_in_kept_back_wordings_as_they_stand(form):
    rng = np.random.default_rng(0)
    asked = {ask(rng, form, True, **SLOTS) for _ in range(100)}
    assert asked == {wording.format(**SLOTS) for wording in WORDINGS[form][1]}
