"""Pure functions from logits to logits, one row a request, for any array library that follows the array API.

Every knob is an array ``[B]``, so that each row has its own. A token that may not be drawn is at minus infinity.
numpy and torch run the same lines; no result depends on the other rows.
"""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace, device

Array = Any  # numpy.ndarray, torch.Tensor, or any other array of the standard


def repetition_penalty(logits: Array, seen: Array, penalty: Array) -> Array:
    """Make tokens that already stand in the text less likely (Keskar et al. 2019, CTRL).

    logits: [B, V]. seen: bool [B, V]. penalty: [B], 1 is none. A positive logit is divided, a negative one multiplied.
    Returns logits [B, V].
    """
    xp = array_namespace(logits)
    factor = _column(xp, penalty, logits)
    return xp.where(seen, xp.where(logits < 0, logits * factor, logits / factor), logits)


def mask(logits: Array, allowed: Array) -> Array:
    """Leave only the allowed tokens. logits: [B, V]. allowed: bool, broadcast to [B, V]. Returns logits [B, V].

    A NaN stays one, allowed or not.
    """
    xp = array_namespace(logits)
    limit = (xp.astype(allowed, logits.dtype) - 0.5) * xp.inf  # a ``where`` is up to 20 times slower in numpy, which
    return xp.minimum(logits, limit)  # branches on each token, and grammars allow them in no order


def temperature(logits: Array, t: Array) -> Array:
    """Divide by the temperature. logits: [B, V]. t: [B], above 0 (0 is argmax, which needs no filter).

    Returns logits [B, V].
    """
    xp = array_namespace(logits)
    return logits / _column(xp, t, logits)


def top_k(logits: Array, k: Array) -> Array:
    """Keep, per row, the ``k`` most likely tokens (Fan et al. 2018) and all that tie with the last of them.

    logits: [B, V]. k: integers [B], at least 1; V or more keeps all. Ties are kept as transformers keeps them.
    Returns logits [B, V] with the rest at -inf.
    """
    xp = array_namespace(logits)
    ranked = xp.sort(logits, axis=-1, descending=True, stable=False)
    place = xp.arange(logits.shape[-1], device=device(logits))
    last = xp.minimum(k, xp.full_like(k, logits.shape[-1]))[:, None] - 1
    threshold = xp.max(xp.where(place >= last, ranked, _nothing(xp, logits)), axis=-1, keepdims=True)
    return mask(logits, logits >= threshold)


def top_p(logits: Array, p: Array) -> Array:
    """Keep, per row, the smallest set of tokens whose probability reaches ``p`` (nucleus, Holtzman et al. 2020).

    logits: [B, V] after temperature. p: [B] in [0, 1]; 1 keeps all, 0 leaves the most likely token. Among equally
    likely tokens at the edge of the set the lowest ids are kept. Returns logits [B, V] with the rest at -inf.
    """
    xp = array_namespace(logits)
    ranked = xp.sort(logits, axis=-1, descending=True, stable=False)  # values alone: far cheaper than an argsort
    share = softmax(ranked)
    before = xp.cumulative_sum(share, axis=-1) - share  # probability of all that is more likely
    p = xp.astype(p, share.dtype)[:, None]
    kept = (before < p) | (p >= 1)
    size = xp.maximum(xp.sum(xp.astype(kept, xp.int64), axis=-1, keepdims=True), xp.ones_like(p, dtype=xp.int64))
    place = xp.arange(logits.shape[-1], device=device(logits))
    threshold = xp.max(xp.where(place >= size - 1, ranked, _nothing(xp, logits)), axis=-1, keepdims=True)
    above = logits > threshold
    room = size - xp.sum(xp.astype(above, xp.int64), axis=-1, keepdims=True)  # how many of the tied ones still fit
    tied = logits == threshold
    return mask(logits, above | (tied & (xp.cumulative_sum(xp.astype(tied, xp.int64), axis=-1) <= room)))


def softmax(logits: Array) -> Array:
    """Probabilities in float64, so that libraries and batch shapes agree. logits: [..., V], at least one finite."""
    xp = array_namespace(logits)
    logits = xp.astype(logits, xp.float64)
    weight = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return weight / xp.sum(weight, axis=-1, keepdims=True)


def log_total(logits: Array) -> Array:
    """Natural log of the sum of exponentials, float64 [B]: a token's logit less this is its log-probability.

    logits: [B, V], at least one finite a row.
    """
    xp = array_namespace(logits)
    top = xp.max(logits, axis=-1, keepdims=True)
    total = xp.sum(xp.exp(logits - top), axis=-1, dtype=xp.float64)
    return xp.astype(top[:, 0], xp.float64) + xp.log(total)


def candidates(logits: Array, k: int) -> tuple[Array, Array]:
    """The few tokens that can be among the ``k`` most likely, so that what follows need not look at all V.

    logits: [B, V]. Returns values and ids, both [B, C], in order of id: every token that no ``k`` others exceed, some
    more, and padding at -inf with id 0. C is V where that is not worth the trouble.
    """
    xp = array_namespace(logits)
    rows, vocab_size = logits.shape
    groups = 8 * k
    width = vocab_size // groups
    if width < 2:
        return logits, xp.broadcast_to(xp.arange(vocab_size, device=device(logits)), logits.shape)
    table = (rows, groups, width) if width > groups else (rows, width, groups)  # the long side last, which is fast
    peaks = xp.max(xp.reshape(logits[:, : groups * width], table), axis=table.index(width, 1))  # [B, groups]
    bound = xp.sort(peaks, axis=-1, descending=True, stable=False)[:, k - 1 : k]  # k tokens at least reach it
    kept = (logits >= bound) & (logits > -xp.inf)
    (flat,) = xp.nonzero(xp.reshape(kept, (-1,)))
    row = flat // vocab_size
    count = xp.sum(kept, axis=-1, dtype=xp.int64)
    before = xp.cumulative_sum(count, axis=0) - count
    longest = int(xp.max(count))
    slot = row * longest + xp.arange(flat.shape[0], device=device(logits)) - xp.take(before, row)
    values = xp.full((rows * longest,), -xp.inf, dtype=logits.dtype, device=device(logits))
    ids = xp.zeros((rows * longest,), dtype=xp.int64, device=device(logits))
    values[slot] = xp.take(xp.reshape(logits, (-1,)), flat)
    ids[slot] = flat - row * vocab_size
    return xp.reshape(values, (rows, longest)), xp.reshape(ids, (rows, longest))


def pick(values: Array, places: Array) -> Array:
    """One value a row. values: [B, C]. places: integers [B]. Returns [B]."""
    xp = array_namespace(values)
    rows, width = values.shape
    return xp.take(xp.reshape(values, (-1,)), xp.arange(rows, device=device(values)) * width + places)


def inverse_cdf(logits: Array, u: Array) -> Array:
    """Draw one token a row: the first, by id, at which the cumulative probability exceeds ``u``.

    logits: [B, V] after all filters, at least one finite a row. u: float64 [B] in [0, 1).
    Returns ids [B]; never a token at -inf, wherever ``u`` falls and whatever the rounding.
    """
    xp = array_namespace(logits)
    share = softmax(logits)
    possible = share > 0
    reached = possible & (xp.cumulative_sum(share, axis=-1) > u[:, None])
    # Rounding can leave the sum a hair under u: then the last possible token is the one.
    fallback = logits.shape[-1] - 1 - xp.argmax(xp.flip(xp.astype(possible, xp.int8), axis=-1), axis=-1)
    return xp.where(xp.any(reached, axis=-1), xp.argmax(xp.astype(reached, xp.int8), axis=-1), fallback)


def _column(xp: Any, knob: Array, logits: Array) -> Array:
    return xp.astype(knob, logits.dtype)[:, None]  # [B] -> [B, 1]


def _nothing(xp: Any, logits: Array) -> Array:
    return xp.asarray(-xp.inf, dtype=logits.dtype, device=device(logits))
