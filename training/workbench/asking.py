"""A question put into words: a wording chosen at random, and varied where training asks."""

from __future__ import annotations

import re

import numpy as np

from training.workbench.clip_wordings import CLIP_SAME, CLIP_WORDINGS
from training.workbench.wordings import LEADS, PLACED, SAME, TAILS, WORDINGS

_FORMS = WORDINGS | CLIP_WORDINGS
_OTHERS = {word: [w for w in group if w != word] for group in (*SAME, *CLIP_SAME) for word in group}
_WORD = re.compile(r"(?<!\{)\b[A-Za-z]+\b(?!\})")  # not a slot's name


def ask(rng: np.random.Generator, form: str, unseen: bool, **slots: str) -> str:
    """A question of that type in a random wording; ``unseen`` takes one that training never sees, as it stands.

    Seen wordings come with words swapped and lead-ins; a swap that would make a kept-back wording is not made.
    """
    seen, kept_back = _FORMS[form]
    if unseen:
        return str(rng.choice(kept_back)).format(**slots)
    wording = str(rng.choice(seen))
    varied = _tailed(rng, _swapped(rng, wording))
    wording = wording if _bare(varied) in map(_bare, kept_back) else varied
    wording = str(rng.choice(LEADS)) + wording.format(**slots)
    if rng.random() < 0.12:
        wording = wording.rstrip("?.")
    return wording.lower() if rng.random() < 0.12 else wording


def _swapped(rng: np.random.Generator, wording: str) -> str:
    """Each word that has others like it makes way for one of them three times in ten."""

    def swap(word: re.Match[str]) -> str:
        others = _OTHERS.get(word[0])
        return str(rng.choice(others)) if others and rng.random() < 0.3 else word[0]

    return _WORD.sub(swap, wording)


def _tailed(rng: np.random.Generator, wording: str) -> str:
    """Two questions in ten say where to look, unless they do already."""
    if rng.random() > 0.2 or not wording.endswith("?") or PLACED.search(wording):
        return wording
    return f"{wording[:-1]}{rng.choice(TAILS)}?"


def _bare(wording: str) -> str:
    return re.sub(r"[^a-z{}]+", " ", wording.lower()).strip()
