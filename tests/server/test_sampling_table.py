"""The table of docs/server.md: what an OpenAI request means for sampling, row by row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vi.inference.generation_config import GenerationConfig
from vi.inference.generation_config.resolution import merge
from vi.server.chat_request import ChatRequest
from vi.server.limits import Limits

PAGE = Path(__file__).parents[2] / "docs" / "server.md"
MESSAGES = [{"role": "user", "content": "Hi"}]

# request beside its messages -> what its config sets of (do_sample, temperature); None: the run's default
ROWS = [
    ({}, None, None),
    ({"temperature": 0}, None, 0.0),
    ({"temperature": 0.7}, True, 0.7),
    ({"temperature": 0.7, "do_sample": False}, False, 0.7),
    ({"do_sample": True}, True, None),
    ({"top_p": 0.9, "seed": 7}, None, None),
    ({"generation_config": {"temperature": 0.7}}, None, 0.7),
    ({"temperature": 0.7, "generation_config": {"do_sample": False}}, False, 0.7),
    ({"generation_config": "creative"}, True, 0.8),
    ({"temperature": 0, "generation_config": "creative"}, True, 0.0),
]


def config_of(body) -> GenerationConfig:
    (question,) = ChatRequest(model="m", messages=MESSAGES, **body).questions(Limits())
    return question.config


@pytest.mark.parametrize(("body", "do_sample", "temperature"), ROWS)
def test_a_row_of_the_table(body, do_sample, temperature):
    config = config_of(body)
    fields = config.model_fields_set
    assert (config.do_sample if "do_sample" in fields else None) == do_sample
    assert (config.temperature if "temperature" in fields else None) == temperature


def test_what_is_absent_is_the_runs_own():
    for run in ({"do_sample": True, "temperature": 0.3}, {"do_sample": False}):
        assert merge(config_of({}), None, run).config == merge(None, None, run).config


def test_the_page_has_these_rows():
    table = PAGE.read_text(encoding="utf-8").split("## Sampling")[1].split("\n## ")[0]
    rows = [
        re.findall(r"`([^`]*)`", line) for line in table.splitlines() if line.startswith("| `") or "| nothing" in line
    ]
    assert len(rows) == len(ROWS)


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        ({"max_tokens": 7}, "max_new_tokens", 7),
        ({"max_completion_tokens": 7, "max_tokens": 9}, "max_new_tokens", 7),
        ({"stop": "x"}, "stop_strings", ("x",)),
        ({"stop": ["x", "y"]}, "stop_strings", ("x", "y")),
        ({"logprobs": True}, "logprobs", 0),
        ({"logprobs": True, "top_logprobs": 5}, "logprobs", 5),
        ({"logprobs": False}, "logprobs", None),
        ({"top_k": 7}, "top_k", 7),
        ({"repetition_penalty": 1.5}, "repetition_penalty", 1.5),
        ({"seed": 9}, "seed", 9),
    ],
)
def test_openais_names_are_ours(body, field, value):
    assert getattr(config_of(body), field) == value


@pytest.mark.parametrize(
    ("given", "default", "seeds"),
    [
        ({"seed": 2**63 - 2}, 0, [2**63 - 2, 2**63 - 1, 0]),
        ({"seed": -1}, 0, [-1, -1, -1]),
        ({}, 5, [5, 6, 7]),
        ({}, -1, [-1, -1, -1]),
    ],
)
def test_further_answers_take_the_seeds_that_follow(given, default, seeds):
    questions = ChatRequest(model="m", messages=MESSAGES, n=3, **given).questions(Limits())
    run = {"seed": default}
    resolved = [merge(question.settings(merge(None, None, run).config), None, run).config for question in questions]
    assert [config.seed for config in resolved] == seeds


def test_a_default_beyond_the_limit_of_tokens_is_lowered_to_it():
    (question,) = ChatRequest(model="m", messages=MESSAGES).questions(Limits(tokens=100))
    assert question.settings(GenerationConfig(max_new_tokens=101)).max_new_tokens == 100
    assert question.settings(GenerationConfig(max_new_tokens=99)).model_fields_set == set()
