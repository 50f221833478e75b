"""What a finished generation is, in plain data: text, tokens, why it ended, what it cost."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

FinishReason = Literal["stop", "stop_string", "length", "loop", "cancelled"]


class _Record(BaseModel):
    # A token that a model rules out has the log-probability -inf, which JSON has no number for.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class Usage(_Record):
    """Token counts. ``image_tokens`` are part of ``prompt_tokens``, and so are ``cached_tokens``: computed before,
    for another request.
    """

    prompt_tokens: int
    image_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int


class Timings(_Record):
    """Seconds. ``load`` is the source's decoding and preprocessing; ``per_token`` the mean of the decode steps."""

    load: float = 0.0
    prefill: float
    time_to_first_token: float
    per_token: float
    total: float


class Survivors(_Record):
    """How many candidates there were for one token after each filter, in the filters' order.

    vocabulary: tokens that may ever be chosen, so without media placeholders and padding. grammar: of those, what the
    form of the answer, and the tokens left for it, allow. A greedy choice leaves one after ``top_k``.
    """

    vocabulary: int
    grammar: int
    top_k: int
    top_p: int


class TokenAlternative(_Record):
    """One token that could have been chosen.

    logprob: natural log of its probability under the model itself. probability: that after all filters, which the draw
    was made from: 0 where a filter removed it, and 1 or 0 where decoding is greedy. None where it is not known.
    """

    token_id: int
    text: str
    logprob: float
    probability: float | None = None


class TokenLogprob(TokenAlternative):
    """The token that was chosen; ``alternatives`` are the model's most likely ones, best first.

    forced: whether the grammar left no other token. survivors: how many candidates each filter left.
    """

    forced: bool = False
    alternatives: list[TokenAlternative] = []
    survivors: Survivors | None = None


class TokenScore(_Record):
    """What a confidence needs of one token. logprob: as in TokenAlternative; None where it was not asked for."""

    text: str
    logprob: float | None = None
    forced: bool = False


class Completion(_Record):
    """One request's outcome. ``text`` has stop strings and special tokens removed.

    truncated: the text is complete, as its grammar demands, but the budget of tokens decided how it ended. scores: of
    an answer with boxes, its tokens; None of others and where there are ``logprobs``, which say it too. probabilities:
    of each part that is one of a few options, by its path, the probability of each (see ``PredictionResponse``).
    """

    token_ids: list[int]
    text: str
    finish_reason: FinishReason
    usage: Usage
    timings: Timings
    logprobs: list[TokenLogprob] | None = None
    scores: list[TokenScore] | None = None
    probabilities: dict[str, dict[str, float]] = {}
    truncated: bool = False
