"""What each filter left of the candidates for one token, and how likely the chosen one was in the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vi.inference.sampling import filters
from vi.inference.sampling.sampler import Row


@dataclass(frozen=True)
class Survivors:
    """How many tokens were candidates after each filter, in the filters' order, and the probabilities at the end.

    probabilities: of the token ids that were asked about, under what the draw was made from; of a greedy choice, 1 for
    the token taken and 0 for the others.
    """

    grammar: int
    top_k: int
    top_p: int
    probabilities: list[float]


def survivors(logits: np.ndarray, row: Row, token_ids: list[int], banned: np.ndarray | None = None) -> Survivors:
    """Follow one row through the filters as ``choose`` does.

    logits: float [V], the model's own. token_ids: the chosen token first, then its alternatives. banned: bool [V].
    """
    scores = np.asarray(logits, dtype=np.float64)[None, :]
    possible = np.ones(scores.shape, dtype=bool) if banned is None else ~np.asarray(banned)[None, :]
    if row.allowed is not None:
        possible = possible & row.allowed[None, :]
    scores = filters.mask(scores, possible)
    grammar = _finite(scores)
    if not row.sampled:
        return Survivors(grammar, 1, 1, [1.0] + [0.0] * (len(token_ids) - 1))
    seen = np.zeros(scores.shape, dtype=bool)
    seen[0, row.seen] = True
    scores = filters.repetition_penalty(scores, seen, np.array([row.config.repetition_penalty]))
    scores = filters.temperature(scores, np.array([row.config.temperature]))
    if row.config.top_k is not None:
        scores = filters.top_k(scores, np.array([row.config.top_k]))
    top_k = _finite(scores)
    scores = filters.top_p(scores, np.array([row.config.top_p]))
    share = filters.softmax(scores)[0]
    return Survivors(grammar, top_k, _finite(scores), share[token_ids].tolist())


def _finite(scores: np.ndarray) -> int:
    return int(np.isfinite(scores).sum())
