"""What decided each token of an answer: the grammar, a filter, the draw, or nothing but the model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vi.inference.completion import TokenAlternative, TokenLogprob
from vi.inference.errors import ConfigError
from vi.inference.task_types.response import PredictionResponse

ALTERNATIVES = 5  # a token, where the call does not say how many


@dataclass(frozen=True)
class Choice:
    """One token and how it came about.

    before, after: its probability under the model itself, and after all filters (None where that is not known).
    by: ``grammar`` where no other token was allowed, ``draw`` where a likelier one that was left was not drawn,
    ``restricted`` where the model's likeliest was not allowed, else ``model``.
    """

    token: TokenLogprob
    before: float
    after: float | None
    by: str

    @property
    def removed(self) -> dict[str, int]:
        """Candidates that each filter took away, of those the filter before it had left."""
        left = self.token.survivors
        if left is None:
            return {"grammar": 0, "top_k": 0, "top_p": 0}
        return {
            "grammar": left.vocabulary - left.grammar,
            "top_k": left.grammar - left.top_k,
            "top_p": left.top_k - left.top_p,
        }


def choices(answer: PredictionResponse) -> list[Choice]:
    """One of every token. Raises ConfigError where the answer has no log-probabilities."""
    if answer.logprobs is None:
        raise ConfigError("The answer does not say how its tokens were chosen.", "Ask with logprobs=5.")
    return [Choice(token, probability(token), token.probability, _decided_by(token)) for token in answer.logprobs]


def probability(token: TokenAlternative) -> float:
    """Under the model itself."""
    return math.exp(token.logprob)


def others(token: TokenLogprob) -> Sequence[TokenAlternative]:
    """The alternatives without the token itself."""
    return [each for each in token.alternatives if each.token_id != token.token_id]


def _decided_by(token: TokenLogprob) -> str:
    if token.forced:
        return "grammar"
    likelier = [each for each in others(token) if each.logprob > token.logprob]
    if any(each.probability for each in likelier):
        return "draw"
    alone = token.survivors is not None and token.survivors.grammar < token.survivors.vocabulary
    return "restricted" if likelier and alone else "model"


def shown(text: str) -> str:
    """A token's text as it can be read: spaces and breaks visible, other control characters replaced."""
    marks = {" ": "␣", "\n": "↵", "\t": "⇥"}
    return "".join(marks.get(c, c if c.isprintable() else "\N{REPLACEMENT CHARACTER}") for c in text) or "∅"
