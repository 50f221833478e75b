"""From logits to one token a row: the filters in the field's order, then argmax or a counted draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from array_api_compat import array_namespace, device

from vi.inference.completion import Survivors
from vi.inference.errors import InferenceError
from vi.inference.sampling import filters
from vi.inference.sampling.filters import Array
from vi.inference.sampling.randomness import uniform
from vi.inference.sampling.survivors import Left, choosable


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


class Row(NamedTuple):
    """One request's turn. ``seen``: int64 [N], the distinct tokens to penalise.

    ``allowed``: bool [V] from a grammar, None is all. ``step`` counts the request's generated tokens from 0; with the
    seed it fixes the random number. ``scored``: whether the token's logprob is wanted where the config asks for none.
    ``parting``: int64 [N], tokens of which it is asked how likely each is among them.
    """

    config: SamplingConfig
    seen: np.ndarray
    allowed: np.ndarray | None = None
    step: int = 0
    scored: bool = False
    parting: np.ndarray | None = None

    @property
    def sampled(self) -> bool:
        return self.config.do_sample and self.config.temperature > 0

    @property
    def plain(self) -> bool:
        """Whether the token is the best of the logits that may come, and nothing is asked about it."""
        config = self.config
        told = self.scored or self.parting is not None or config.logprobs is not None
        return not told and config.repetition_penalty == 1 and not self.sampled


class Choice(NamedTuple):
    """A chosen token. Logprobs are natural logs under the model itself, before any filter; best alternative first.

    probabilities: of the token and then its alternatives, after all filters. What a row does not ask for is missing: it
    costs passes over the vocabulary. parting: under the model itself, of the row's ``parting`` tokens among themselves.
    """

    token_id: int
    logprob: float | None = None
    alternatives: Sequence[tuple[int, float]] = ()
    survivors: Survivors | None = None
    probabilities: Sequence[float] = ()
    parting: Sequence[float] = ()


def choose(
    logits: Array, rows: Sequence[Row], banned: Array | None = None, limits: Array | None = None
) -> list[Choice]:
    """One token for every row: penalty, mask, temperature, top-k, top-p, draw; or argmax after penalty and mask.

    logits: [B, V], numpy or torch, B = len(rows); they are left as they are. banned: bool [V], ids that are never
    chosen (media, padding), best in the logits' own library and on their device (see ``like``). limits: what
    ``Limits.of`` made of the rows' grammars and ``banned``, where that was done already.
    A row's choice does not depend on the rows beside it. Ties of argmax go to the lowest id.
    Raises InferenceError, naming the row, where nothing is allowed or the logits are not numbers.
    """
    if not rows:
        return []
    xp = array_namespace(logits)
    if logits.dtype not in (xp.float32, xp.float64):
        logits = xp.astype(logits, xp.float32)  # half precision would tie tokens that differ after a filter
    banned = None if banned is None else like(logits, banned, xp.bool)
    plain = all(row.plain for row in rows)
    scores, best = _best(logits, rows, banned, limits, plain)
    choices = [Choice(token_id) for token_id in best.tolist()]
    if plain:
        return choices
    drawn = [i for i, row in enumerate(rows) if row.sampled]
    left = None
    if drawn:
        left = _filtered(rows_of(scores, drawn), [rows[i] for i in drawn])
        for i, token_id in zip(drawn, _draw(left, [rows[i] for i in drawn]), strict=True):
            choices[i] = Choice(token_id)
    _tell_filters(choices, logits, rows, banned, drawn, left)
    _tell_scores(choices, logits, rows)
    return choices


def _tell_filters(
    choices: list[Choice],
    logits: Array,
    rows: Sequence[Row],
    banned: Array | None,
    drawn: Sequence[int],
    left: Left | None,
) -> None:
    """Add what the rows with ``logprobs`` ask for. left: of the ``drawn`` rows."""
    reported = [i for i, row in enumerate(rows) if row.config.logprobs is not None]
    if not reported:
        return
    counts = [rows[i].config.logprobs or 0 for i in reported]
    told = report(rows_of(logits, reported), [choices[i].token_id for i in reported], counts)
    pairs = choosable(rows_of(logits, reported), [rows[i].allowed for i in reported], banned)
    for i, choice, (vocabulary, grammar) in zip(reported, told, pairs, strict=True):
        choices[i] = _certain(choice, vocabulary, grammar)
    if left is not None:
        _weigh(choices, [i for i in reported if rows[i].sampled], drawn, left)


def _tell_scores(choices: list[Choice], logits: Array, rows: Sequence[Row]) -> None:
    """Add the logprobs of ``scored`` rows, and how likely the tokens are at which options part."""
    scored = [i for i, row in enumerate(rows) if row.scored and row.config.logprobs is None]
    if scored:
        told = report(rows_of(logits, scored), [choices[i].token_id for i in scored])
        for i, choice in zip(scored, told, strict=True):
            choices[i] = choice
    xp = array_namespace(logits)
    for i, row in enumerate(rows):
        if row.parting is not None:
            shares = filters.softmax(xp.take(logits[i, :], like(logits, row.parting, xp.int64), axis=0))
            choices[i] = choices[i]._replace(parting=shares.tolist())


def report_forced(
    logits: Array, token_ids: Sequence[int], counts: Sequence[int], banned: Array | None = None
) -> list[Choice]:
    """What ``report`` says, of tokens to which a grammar left no alternative. banned: as in ``choose``."""
    told = report(logits, token_ids, counts)
    pairs = choosable(logits, [None] * len(token_ids), banned)
    return [_certain(choice, vocabulary, 1) for choice, (vocabulary, _) in zip(told, pairs, strict=True)]


def report(logits: Array, token_ids: Sequence[int], counts: Sequence[int] = ()) -> list[Choice]:
    """What the model says of tokens that are chosen: their logprobs, and ``counts[i]`` alternatives for row i, if any.

    logits: [R, V], the model's own. Alternatives come best first, ties by id.
    """
    xp = array_namespace(logits)
    if logits.dtype not in (xp.float32, xp.float64):
        logits = xp.astype(logits, xp.float32)
    total = filters.log_total(logits)
    own = (filters.pick(logits, like(logits, token_ids, xp.int64)) - total).tolist()
    if max(counts, default=0) == 0:
        return [Choice(token_id, logprob) for token_id, logprob in zip(token_ids, own, strict=True)]
    values, ids = filters.candidates(logits, max(counts))
    order = xp.argsort(values, axis=-1, descending=True, stable=True)[:, : max(counts)]
    logprobs = (xp.take_along_axis(values, order, axis=-1) - total[:, None]).tolist()
    ranked = xp.take_along_axis(ids, order, axis=-1).tolist()
    return [
        Choice(token_id, logprob, list(zip(its_ids[:count], its_logprobs[:count], strict=True)))
        for token_id, logprob, its_ids, its_logprobs, count in zip(
            token_ids, own, ranked, logprobs, counts, strict=True
        )
    ]


def rows_of(values: Array, places: Sequence[int]) -> Array:
    """Those rows of [B, V]; the array itself where they are all of them."""
    if len(places) == values.shape[0]:
        return values
    return array_namespace(values).take(values, like(values, places, array_namespace(values).int64), axis=0)


def like(logits: Array, values: Any, dtype: Any) -> Array:
    """``values`` as an array of the logits' library, on their device; no copy where they are that already."""
    return array_namespace(logits).asarray(values, dtype=dtype, device=device(logits))


def _best(
    logits: Array, rows: Sequence[Row], banned: Array | None, limits: Array | None, plain: bool
) -> tuple[Array, Array]:
    """Scores [B, V] after penalty and mask, and the best id of each row [B].

    Where every row is greedy, with neither penalty nor grammar, and no banned id is the best, the scores are the
    logits themselves: nothing of size [B, V] is made.
    """
    xp = array_namespace(logits)
    if plain and limits is None and all(row.allowed is None for row in rows):
        best = xp.argmax(logits, axis=-1)
        if banned is None or not bool(xp.any(xp.take(banned, best))):
            _check(logits, logits, rows)
            return logits, best
    masked = _masked(logits, rows, banned) if limits is None else xp.minimum(logits, limits)
    scores = masked if plain else _penalised(masked, rows)
    best = xp.argmax(scores, axis=-1)
    _check(logits, scores, rows)
    return scores, best


def _masked(logits: Array, rows: Sequence[Row], banned: Array | None) -> Array:
    """A copy of the logits with what grammars and ``banned`` rule out at -inf, made in one pass."""
    xp = array_namespace(logits)
    choosable = xp.ones(logits.shape[-1:], dtype=xp.bool, device=device(logits)) if banned is None else ~banned
    if any(row.allowed is not None for row in rows):
        everything = np.ones(logits.shape[-1], dtype=bool)
        allowed = np.stack([everything if row.allowed is None else row.allowed for row in rows])
        choosable = choosable & like(logits, allowed, xp.bool)  # [B, V]
    return filters.mask(logits, choosable)


def _penalised(scores: Array, rows: Sequence[Row]) -> Array:
    """The repetition penalty, written into ``scores``. It looks at seen tokens only, a few of V; -inf stays."""
    xp = array_namespace(scores)
    vocab_size = scores.shape[-1]
    penalised = [(i, row) for i, row in enumerate(rows) if row.config.repetition_penalty != 1 and len(row.seen)]
    if not penalised:
        return scores
    flat = xp.reshape(scores, (-1,))  # a view
    places = like(scores, np.concatenate([row.seen + i * vocab_size for i, row in penalised]), xp.int64)
    factors = np.repeat(
        [row.config.repetition_penalty for _, row in penalised], [len(row.seen) for _, row in penalised]
    )
    values = xp.take(flat, places)[:, None]  # a row each: [N, 1]
    everyone = xp.ones_like(values, dtype=xp.bool)
    flat[places] = filters.repetition_penalty(values, everyone, like(scores, factors, xp.float64))[:, 0]
    return scores


def _check(logits: Array, scores: Array, rows: Sequence[Row]) -> None:
    """Raise for the first row in which no token can be chosen, with the reason.

    logits, scores: [B, V] before and after penalty and mask; a NaN in one is in the other.
    """
    xp = array_namespace(logits)
    found = xp.max(scores, axis=-1)
    if bool(xp.all(xp.isfinite(found))):
        return
    sound, possible = xp.isfinite(xp.max(logits, axis=-1)).tolist(), xp.isfinite(found).tolist()
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


def _filtered(scores: Array, rows: Sequence[Row]) -> Left:
    """Temperature, top-k and top-p. scores: [S, V], the sampled rows after penalty and mask."""
    k = [scores.shape[-1] if row.config.top_k is None else row.config.top_k for row in rows]
    values, ids = filters.candidates(scores, max(k))
    values = filters.temperature(values, _knob(scores, rows, lambda row: row.config.temperature))
    if min(k) < scores.shape[-1]:
        values = filters.top_k(values, like(scores, k, array_namespace(scores).int64))
    after_top_k = values
    if any(row.config.top_p < 1 for row in rows):
        values = filters.top_p(values, _knob(scores, rows, lambda row: row.config.top_p))
    return Left(after_top_k, values, ids)


def _draw(left: Left, rows: Sequence[Row]) -> list[int]:
    drawn = filters.inverse_cdf(left.top_p, _knob(left.top_p, rows, lambda row: uniform(row.config.seed, row.step)))
    return filters.pick(left.ids, drawn).tolist()


def _knob(values: Array, rows: Sequence[Row], read: Callable[[Row], float]) -> Array:
    """A setting of every row, float64 [S], where ``values`` are."""
    return like(values, [read(row) for row in rows], array_namespace(values).float64)


def _certain(choice: Choice, vocabulary: int, grammar: int) -> Choice:
    """The choice as one without a draw: the token has the whole probability."""
    ids = [choice.token_id, *(token_id for token_id, _ in choice.alternatives)]
    survivors = Survivors(vocabulary=vocabulary, grammar=grammar, top_k=1, top_p=1)
    return choice._replace(survivors=survivors, probabilities=[float(i == choice.token_id) for i in ids])


def _weigh(choices: list[Choice], places: Sequence[int], drawn: Sequence[int], left: Left) -> None:
    """Give the choices at ``places`` the probabilities of their draw, and the counts of what was left for it."""
    if not places:
        return
    left = left if len(places) == len(drawn) else left.rows([drawn.index(i) for i in places])
    wanted = [[choices[i].token_id, *(token_id for token_id, _ in choices[i].alternatives)] for i in places]
    width = max(map(len, wanted))
    shares = left.probabilities([ids + ids[:1] * (width - len(ids)) for ids in wanted])
    for i, ids, share, (top_k, top_p) in zip(places, wanted, shares, left.counts(), strict=True):
        before = choices[i].survivors
        assert before is not None
        survivors = before.model_copy(update={"top_k": top_k, "top_p": top_p})
        choices[i] = choices[i]._replace(survivors=survivors, probabilities=share[: len(ids)])
