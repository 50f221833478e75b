"""The embedded run over OpenVINO's graphs: what a request answers does not depend on who else asks, and when."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vi import workbench
from vi.inference.bundle.layout import read_bundle
from vi.inference.engine.request import Request
from vi.inference.engine.settings import EngineSettings
from vi.inference.engine.start import start_engine
from vi.inference.generation_config import GenerationConfig
from vi.inference.loading.open import of_bundle
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.structured.grammar import json_grammar

pytest.importorskip("openvino")

SYSTEM = "You look at pictures of a workbench and answer with care. " * 4
BOX = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 1024}, "minItems": 4, "maxItems": 4}
GRAMMARS = [
    None,
    json_grammar({"type": "object", "properties": {"answer": {"type": "string", "maxLength": 30}}}),
    json_grammar({"type": "array", "items": BOX, "maxItems": 3}),
    json_grammar({"enum": ["yes", "no", "I cannot tell"]}),
]
ENGINES = {
    "ample": {},
    "small steps": {"token_budget": 40, "max_batch": 8},
    "little room": {"cache_bytes": 4 << 20, "max_batch": 6, "exact": True},  # as much as three or four requests take
}


@dataclass(frozen=True)
class World:
    """The engines by name, the requests that may come, and what each answers alone."""

    engines: dict[str, Any]
    requests: Sequence[Request]
    alone: Sequence[tuple[Any, ...]]


def outcome(completion):
    forced = None if completion.logprobs is None else [entry.forced for entry in completion.logprobs]
    return completion.token_ids, completion.text, completion.finish_reason, forced


@pytest.fixture(scope="module")
def world():
    loaded = of_bundle(read_bundle(workbench.run_path() / "model"))
    chat = ChatPrompt(loaded)
    sizes = [(224, 224), (112, 168), None, (300, 90)]
    noise = [size and np.random.default_rng(size).integers(0, 256, (*size[::-1], 3), dtype=np.uint8) for size in sizes]
    pictures = [None if pixels is None else Image.fromarray(pixels) for pixels in noise]
    requests = [
        Request(
            chat.build(f"Question {i % 5}: what is there?", picture=pictures[i % 4], system_prompt=SYSTEM),
            GenerationConfig(
                max_new_tokens=6 + i,
                do_sample=i % 3 > 0,
                temperature=[0.7, 1.5][i % 2],
                top_p=[0.9, 1.0][i // 2 % 2],
                repetition_penalty=[1.0, 1.05, 1.4][i % 3],
                seed=i,
                stop_strings=[(), ("the",)][i // 5 % 2],
                logprobs=[None, 0, 3][i % 7 % 3],
            ),
            GRAMMARS[i // 4 % 4],
        )
        for i in range(36)
    ]
    by_itself = start_engine(loaded, EngineSettings(exact=True, prefix_cache=False, threads=1))
    alone = [outcome(by_itself.submit(request).completion()) for request in requests]
    by_itself.close()
    engines = {name: start_engine(loaded, EngineSettings(threads=1, **settings)) for name, settings in ENGINES.items()}
    yield World(engines, requests, alone)
    for engine in engines.values():
        engine.close()


def check_mix(world, seed):
    """Some requests in some order through one of the engines, from one thread or eight, streamed or not."""
    chance = random.Random(seed)
    mix = chance.sample(range(len(world.requests)), chance.randint(2, 33))
    engine = world.engines[chance.choice(sorted(world.engines))]
    cancelled = set(chance.sample(mix, chance.choice([0, 0, 2])))

    def ask(which):
        generation = engine.submit(world.requests[which])
        shown = ""
        if which in cancelled:
            shown = next(generation, "")
            generation.cancel()
        if which % 2:
            assert shown + "".join(generation) == generation.completion().text
        return which, outcome(generation.completion())

    with ThreadPoolExecutor(chance.choice([1, 8, 33])) as pool:
        for which, answer in pool.map(ask, mix):
            if which in cancelled:
                assert world.alone[which][0][: len(answer[0])] == answer[0]
            else:
                assert answer == world.alone[which]


@pytest.mark.parametrize("seed", range(6))
def test_a_request_of_the_embedded_run_does_not_notice_its_company(world, seed):
    check_mix(world, seed)


@pytest.mark.slow
@pytest.mark.parametrize("fifty", range(10))
def test_a_request_of_the_embedded_run_does_not_notice_its_company_in_500_mixes(world, fifty):
    for seed in range(50 * fifty, 50 * fifty + 50):
        check_mix(world, 100 + seed)
