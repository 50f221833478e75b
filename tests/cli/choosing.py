"""Tokens and answers made by hand, of which it is known how they were chosen."""

from __future__ import annotations

import math

from vi.inference.completion import Survivors, TokenAlternative, TokenLogprob
from vi.inference.task_types import GenericResponse


def token(text, before, after, others=(), left=(100, 80, 20, 4), forced=False):
    """others: (text, before, after) each. left: how many candidates there are after each filter."""
    return TokenLogprob(
        token_id=0,
        text=text,
        logprob=math.log(before),
        probability=after,
        forced=forced,
        alternatives=[
            TokenAlternative(token_id=number, text=each, logprob=math.log(was), probability=now)
            for number, (each, was, now) in enumerate(others, 1)
        ],
        survivors=None if left is None else Survivors(**dict(zip(Survivors.model_fields, left, strict=True))),
    )


FORCED = token("{", 0.2, 1.0, [("<", 0.8, 0.0)], (100, 1, 1, 1), forced=True)
FAVOURITE = token("a", 0.7, 0.9, [("b", 0.2, 0.1)])
DRAWN = token(" <b>&", 0.2, 0.3, [("a", 0.7, 0.7), ("c", 0.05, 0.0)])
HELD = token("1", 0.1, 1.0, [("x", 0.9, 0.0)], (100, 10, 10, 1))


def answer(*tokens, prompt="Why <not>?"):
    return GenericResponse(prompt=prompt, result="".join(each.text for each in tokens), logprobs=list(tokens))
