from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.families import TINY
from tests.inference.engine.samples import LONG, serial_engine

from vi.inference.engine.batching import BatchingEngine
from vi.inference.engine.serial import SerialEngine
from vi.inference.engine.settings import EngineSettings
from vi.inference.engine.start import start_engine
from vi.inference.errors import ConfigError
from vi.inference.loading.loader import load
from vi.inference.runs.files import RunFiles
from vi.inference.structured.grammar import json_grammar

ANSWER = json_grammar(
    {
        "type": "object",
        "properties": {"answer": {"type": "string", "maxLength": 12}, "count": {"type": "integer", "maximum": 99}},
        "required": ["answer", "count"],
        "additionalProperties": False,
    }
)


@pytest.mark.parametrize("options", [{}, {"exact": True}, {"token_budget": 24, "max_batch": 3, "cache_bytes": 1 << 20}])
def test_the_batching_engine_answers_as_the_serial_one(load_tiny, ask, options):
    """Over transformers' own layers, with pictures, grammars and every sampling setting, all at once."""
    requests = [
        ask(
            f"Question {i % 3}?",
            size=[(64, 48), (200, 100), (30, 90)][i % 3],
            grammar=[None, ANSWER, LONG][i % 4 % 3],
            do_sample=i % 2 == 0,
            temperature=1.3,
            top_p=0.9,
            seed=i,
            logprobs=1 if i % 5 == 0 else None,
            max_new_tokens=10 + 3 * i,
        )
        for i in range(8)
    ]
    serial = serial_engine(load_tiny())
    expected = [serial.submit(request).completion() for request in requests]
    serial.close()
    batching = start_engine(load_tiny(), EngineSettings(**options))
    assert isinstance(batching, BatchingEngine)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda request: batching.submit(request).completion(), requests))
    batching.close()
    for answer, known in zip(answers, expected, strict=True):
        assert (answer.token_ids, answer.text, answer.finish_reason) == (
            known.token_ids,
            known.text,
            known.finish_reason,
        )
        assert [entry.forced for entry in answer.logprobs or []] == [entry.forced for entry in known.logprobs or []]
        assert [entry.logprob for entry in answer.logprobs or []] == pytest.approx(
            [entry.logprob for entry in known.logprobs or []], abs=1e-4
        )


def test_a_model_that_cannot_be_paged_is_answered_one_at_a_time(tmp_path):
    engine = start_engine(load(RunFiles(None, TINY["gemma3"](tmp_path / "gemma3")), device="cpu"))
    assert isinstance(engine, SerialEngine)
    engine.close()


def test_a_cache_without_room_for_a_block_is_refused(loaded):
    with pytest.raises(ConfigError, match="cache_bytes=10 has no room for a block of"):
        start_engine(loaded, EngineSettings(cache_bytes=10))
