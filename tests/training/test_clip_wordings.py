"""Questions about clips in many wordings, of which training never sees those kept back for the evaluation."""

from __future__ import annotations

import re

import numpy as np
import pytest
from training.workbench.asking import ask
from training.workbench.clip_wordings import CLIP_WORDINGS

SLOTS = {"part": "red bolt", "does": "enter", "doing": "enters"}


def bare(text: str) -> str:
    return re.sub(r"[^a-z]+", " ", text.lower()).strip()


@pytest.mark.parametrize("form", CLIP_WORDINGS)
def test_training_never_asks_about_a_clip_in_a_wording_that_is_kept_back(form):
    seen, kept = CLIP_WORDINGS[form]
    assert len(set(seen)) == len(seen) >= 15
    assert len(set(kept)) == 3
    kept_back = {bare(wording.format(**SLOTS)) for wording in kept}
    rng = np.random.default_rng(0)
    asked = {bare(ask(rng, form, False, **SLOTS)) for _ in range(3000)}
    assert not asked & kept_back
    assert len(asked) > 5 * len(seen)
