"""What it costs to hold answers to a form: workload A three ways, in turn, with equally many tokens an answer.

    python benchmarks/constraint.py [--pictures 64] [--rounds 5] [--precision f32]

``forced tokens appended`` is the engine as it is: tokens that the form leaves no choice about are not sampled.
``every token sampled`` is the same with ``exact``, so that the form is only a cost. ``free`` has no form: the same
prompts and pictures, and as many tokens as the first way wrote for each, which nothing ends. All models are loaded, and
a round is run, before anything is timed; every round has pictures that no engine has seen. Printed are medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from workloads import EMBEDDED, WORKLOADS, make_job

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from ours import open_answerer

from vi.inference.answerer import Answerer
from vi.inference.asks import Asks
from vi.inference.call import CallOptions
from vi.inference.generation_config import GenerationConfig
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand
from vi.inference.media.tables import Row
from vi.inference.runs.record import RunRecord

FAST, SAMPLED, FREE = "forced tokens appended", "every token sampled", "free"
ENGINE = {"cache_bytes": 512 << 20}  # of each of the three
MOST_TOKENS = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=64, help="a round (64)")
    parser.add_argument("--rounds", type=int, default=5, help="that are timed (5)")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    found = measure(chosen.pictures, chosen.rounds, chosen.precision)
    print(json.dumps(found, indent=1) if chosen.json else text(found))


def measure(pictures: int, rounds: int, precision: str) -> dict[str, Any]:
    """Per way: seconds of each round, and tokens of each."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        job = make_job(
            WORKLOADS["A"], EMBEDDED, Path(folder), pictures=pictures, rounds=rounds + 1, tokens=MOST_TOKENS, batch=32
        ) | {"precision": precision, "engine": ENGINE}
        jobs = {FAST: job, SAMPLED: job | {"engine": {**ENGINE, "exact": True}}, FREE: _freed(job)}
        ways = {name: stack.enter_context(closing(open_answerer(each))) for name, each in jobs.items()}
        found: dict[str, Any] = {name: {"seconds": [], "tokens": []} for name in ways}
        for number, requests in enumerate(job["rounds"]):
            counts = [MOST_TOKENS] * len(requests)
            for name, answerer in ways.items():
                seconds, tokens = _round(answerer, jobs[name], requests, counts)
                counts = tokens if name == FAST else counts
                if number:
                    found[name]["seconds"].append(seconds)
                    found[name]["tokens"].append(sum(tokens))
    return found


def text(found: dict[str, Any]) -> str:
    """A row a way: tokens a second, and against free."""
    rates = {name: _rate(each) for name, each in found.items()}
    rows = ["| | tokens/s | against free |", "| --- | ---: | ---: |"]
    rows += [f"| {name} | {rate:,.0f} | {rate / rates[FREE]:.2f} |" for name, rate in rates.items()]
    return "\n".join(rows)


def _rate(way: dict[str, list[float]]) -> float:
    return statistics.median(n / seconds for n, seconds in zip(way["tokens"], way["seconds"], strict=True))


def _freed(job: dict[str, Any]) -> dict[str, Any]:
    return job | {"schema": None, "forced": True}


def _round(
    answerer: Answerer, job: dict[str, Any], requests: Sequence[dict[str, Any]], counts: Sequence[int]
) -> tuple[float, list[int]]:
    """Seconds, and tokens of each answer. counts: the most of each."""
    rows = [
        Row(number, expand(one["picture"]).items[0], one["prompt"], generation_config={"max_new_tokens": count})
        for number, (one, count) in enumerate(zip(requests, counts, strict=True))
    ]
    task = "generic" if job["schema"] is None else job["task"]
    config = GenerationConfig(repetition_penalty=1.0)
    asks = Asks(RunRecord(system_prompts={task: job["system"]}), rows, None, CallOptions(config, task), MediaPolicy())
    started = time.perf_counter()
    tokens = []
    with closing(answerer.answers(asks)) as answers:
        for _, (answer, error) in answers:
            if error is not None:
                raise error
            tokens.append(answer.usage.completion_tokens)
    return time.perf_counter() - started, tokens


if __name__ == "__main__":
    main()
