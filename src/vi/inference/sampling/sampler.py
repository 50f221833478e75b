"""From logits to one token a row: the filters in the field's order, then argmax or a counted draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Any, Protocol

import numpy as np
from array_api_compat import array_namespace, device

from vi.inference.errors import InferenceError
from vi.inference.sampling import filters
from vi.inference.sampling.filters import Array
from vi.inference.sampling.randomness import uniform


class SamplingConfig(Protocol):
    """What the sampler reads of a ``GenerationConfig``; ``seed`` is resolved, so never negative."""

    @property
    def do_sample(self) -> bool: ...
    @property
    def temperature(self) -> float: ...
    @property
    def top_k(self) -> int | None: ...
    @property
    def top_p(self) -> float: ...
    @property
    def repetition_penalty(self) -> float: ...
    @property
    def seed(self) -> int: ...
    @property
    def logprobs(self) -> int | None: ...


@dataclass(frozen=True)
class Row:
    """One request's turn. ``seen``: bool [V], tokens to penalise. ``allowed``: bool [V] from a grammar, None is all.

    ``step`` counts the request's generated tokens from 0; with the seed it fixes the random number.
    """

    config: SamplingConfig
    seen: np.ndarray
    allowed: np.ndarray | None = None
    step: int = 0


@dataclass(frozen=True)
class Choice:
    """A chosen token. Logprobs are natural logs under the model itself, before any filter; best alternative first.

    ``logprob`` is None where the request's config asks for none: it costs a pass over the vocabulary.
    """

    token_id: int
    logprob: float | None = None
    alternatives: list[tuple[int, float]] = field(default_factory=list)


def seen_tokens(token_ids: Iterable[int], vocab_size: int, exclude: Iterable[int] = ()) -> np.ndarray:
    """Which tokens stand in ``token_ids``, as bool [vocab_size]; ``exclude`` (media and padding ids) never count."""
    seen = np.zeros(vocab_size, dtype=bool)
    seen[np.fromiter(token_ids, dtype=np.int64)] = True
    seen[np.fromiter(exclude, dtype=np.int64)] = False
    return seen


def choose(logits: Array, rows: Sequence[Row], banned: Array | None = None) -> list[Choice]:
    """One token for every row: penalty, mask, temperature, top-k, top-p, draw; or argmax after penalty and mask.

    logits: [B, V], numpy or torch, B = len(rows). banned: bool [V], ids that are never chosen (media, padding), best
    in the logits' own library and on their device.
    A row's choice does not depend on the rows beside it. Ties of argmax go to the lowest id.
    Raises InferenceError, naming the row, where nothing is allowed or the logits are not numbers.
    """
    if not rows:
        return []
    xp = array_namespace(logits)
    if logits.dtype not in (xp.float32, xp.float64):
        logits = xp.astype(logits, xp.float32)  # half precision would tie tokens that differ after a filter
    scores = _mask(_penalise(logits, rows), rows, banned)
    best = xp.argmax(scores, axis=-1)
    _check(xp.max(logits, axis=-1), filters.pick(scores, best), rows)
    token_ids = best.tolist()
    drawn = [i for i, row in enumerate(rows) if row.config.do_sample and row.config.temperature > 0]
    if drawn:
        picked = _draw(xp.take(scores, _like(logits, drawn, xp.int64), axis=0), [rows[i] for i in drawn])
        for i, token_id in zip(drawn, picked, strict=True):
            token_ids[i] = token_id
    choices = [Choice(token_id) for token_id in token_ids]
    reported = [i for i, row in enumerate(rows) if row.config.logprobs is not None]
    if reported:
        its_logits = xp.take(logits, _like(logits, reported, xp.int64), axis=0)
        its_choices = _report(its_logits, [token_ids[i] for i in reported], [rows[i] for i in reported])
        for i, choice in zip(reported, its_choices, strict=True):
            choices[i] = choice
    return choices


def _report(logits: Array, token_ids: Sequence[int], rows: Sequence[Row]) -> list[Choice]:
    """The chosen tokens with their logprobs and alternatives. logits: [R, V], the model's own."""
    total = filters.log_total(logits)
    own = filters.pick(logits, _like(logits, token_ids, array_namespace(logits).int64)) - total
    return [
        Choice(token_id, logprob, _alternatives(logits[i : i + 1, :], total[i : i + 1], row.config.logprobs))
        for i, (token_id, logprob, row) in enumerate(zip(token_ids, own.tolist(), rows, strict=True))
    ]


def _penalise(logits: Array, rows: Sequence[Row]) -> Array:
    xp = array_namespace(logits)
    penalty = [row.config.repetition_penalty for row in rows]
    if all(value == 1 for value in penalty):
        return logits
    seen = _like(logits, np.stack([row.seen for row in rows]), xp.bool)
    return filters.repetition_penalty(logits, seen, _like(logits, penalty, xp.float64))


def _mask(logits: Array, rows: Sequence[Row], banned: Array | None) -> Array:
    """Grammars and banned ids as one mask, so that the logits are passed over once."""
    xp = array_namespace(logits)
    masks = []
    if banned is not None:
        masks.append(~_like(logits, banned, xp.bool))  # [V]
    if any(row.allowed is not None for row in rows):
        everything = np.ones(logits.shape[-1], dtype=bool)
        allowed = np.stack([everything if row.allowed is None else row.allowed for row in rows])
        masks.append(_like(logits, allowed, xp.bool))  # [B, V]
    return filters.mask(logits, reduce(and_, masks)) if masks else logits


def _check(top: Array, best: Array, rows: Sequence[Row]) -> None:
    """Raise for the first row in which no token can be chosen, with the reason.

    top, best: [B], the largest logit before and after penalty and mask.
    """
    xp = array_namespace(top)
    sound = xp.isfinite(top).tolist()
    possible = xp.isfinite(best).tolist()
    for i, row in enumerate(rows):
        if not sound[i]:
            raise InferenceError(
                f"The model's logits for row {i} at step {row.step} are not finite.",
                "Its weights may be damaged or overflow in this precision; try dtype='float32'.",
            )
        if not possible[i]:
            raise InferenceError(
                f"No token is allowed for row {i} at step {row.step}: grammar and banned ids leave nothing to choose.",
                "The schema may need text that this model's vocabulary cannot spell.",
            )


def _draw(scores: Array, rows: Sequence[Row]) -> list[int]:
    """Temperature, top-k, top-p and the draw. scores: [S, V], the sampled rows after penalty and mask."""
    xp = array_namespace(scores)
    k = [scores.shape[-1] if row.config.top_k is None else row.config.top_k for row in rows]

    def knob(read: Callable[[Row], float]) -> Array:
        return _like(scores, [read(row) for row in rows], xp.float64)

    values, ids = filters.candidates(scores, max(k))
    values = filters.temperature(values, knob(lambda row: row.config.temperature))
    if min(k) < scores.shape[-1]:
        values = filters.top_k(values, _like(scores, k, xp.int64))
    if any(row.config.top_p < 1 for row in rows):
        values = filters.top_p(values, knob(lambda row: row.config.top_p))
    drawn = filters.inverse_cdf(values, knob(lambda row: uniform(row.config.seed, row.step)))
    return filters.pick(ids, drawn).tolist()


def _alternatives(logits: Array, total: Array, count: int | None) -> list[tuple[int, float]]:
    """The ``count`` best tokens of one row [1, V] and their logprobs, best first, ties by id. total: float64 [1]."""
    if not count:
        return []
    values, ids = filters.candidates(logits, count)
    logprobs = (values[0, :] - total).tolist()
    ranked = sorted(zip(ids[0, :].tolist(), logprobs, strict=True), key=lambda pair: (-pair[1], pair[0]))
    return ranked[:count]


def _like(logits: Array, values: Any, dtype: Any) -> Array:
    """``values`` as an array of the logits' library, on their device."""
    return array_namespace(logits).asarray(values, dtype=dtype, device=device(logits))
