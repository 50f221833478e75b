"""Completions as plain data."""

from __future__ import annotations

import json

import pytest

from vi.inference.completion import Completion, Timings, TokenAlternative, TokenLogprob, Usage
from vi.inference.task_types import GenericResponse

RULED_OUT = TokenAlternative(token_id=2, text="b", logprob=float("-inf"))
LOGPROBS = [TokenLogprob(token_id=1, text="a", logprob=-0.25, alternatives=[RULED_OUT])]
COMPLETION = Completion(
    token_ids=[1],
    text="a",
    finish_reason="stop",
    usage=Usage(prompt_tokens=1, completion_tokens=1),
    timings=Timings(prefill=0.5, time_to_first_token=0.75, per_token=0.0, total=1.0),
    logprobs=LOGPROBS,
)


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


@pytest.mark.parametrize(
    "record", [COMPLETION, GenericResponse(prompt="p", result="a", logprobs=LOGPROBS)], ids=lambda r: type(r).__name__
)
def test_a_token_ruled_out_survives_json_that_every_reader_takes(record):
    text = record.model_dump_json()
    json.loads(text, parse_constant=refuse)
    assert type(record).model_validate_json(text) == record
