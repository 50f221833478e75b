"""Batching engines over the numpy model, and requests to ask them."""

from __future__ import annotations

from contextlib import contextmanager

from tests.inference.engine.mixes import prompt, the_model, the_vocabulary
from tests.inference.engine.numpy_model import NumpyRunner

from vi.inference.engine.batching import BatchingEngine
from vi.inference.engine.request import Request
from vi.inference.engine.settings import EngineSettings
from vi.inference.generation_config import GenerationConfig
from vi.inference.structured.grammar import json_grammar

LONG = json_grammar({"type": "string", "minLength": 1500})
PLENTY = {"num_blocks": 600, "block_size": 8}


@contextmanager
def engine(num_blocks=200, block_size=4, runner=NumpyRunner, **options):
    """(engine, runner); at the end every block is free again."""
    its_runner = runner(the_model(), num_blocks, block_size)
    one = BatchingEngine(its_runner, the_vocabulary(), EngineSettings(**options))
    try:
        yield one, its_runner
    finally:
        one.close()
    assert its_runner.closed
    assert_all_free(one)


def assert_all_free(one):
    underway = one._loop.underway
    assert underway.scheduler.blocks.num_free == underway.scheduler.blocks.num_blocks
    assert not underway.jobs
    assert not underway.features


def ask(before=5, pictures=(), after=3, words=0, grammar=None, **config):
    return Request(
        prompt(before, pictures, after, words), GenerationConfig(**{"max_new_tokens": 12, **config}), grammar
    )


def outcome(completion):
    """All that must not depend on company."""
    return completion.model_dump(exclude={"timings": True, "usage": {"cached_tokens"}})


def rounded(dumped):
    """Logprobs to what float64 gives whatever the order of additions."""
    if isinstance(dumped, dict):
        return {name: rounded(value) for name, value in dumped.items()}
    if isinstance(dumped, list):
        return [rounded(value) for value in dumped]
    return round(dumped, 9) if isinstance(dumped, float) else dumped


def same(completion, expected):
    return rounded(outcome(completion)) == rounded(outcome(expected))
