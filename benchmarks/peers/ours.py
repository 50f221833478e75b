"""This package as a peer among the others: requests go through the same door as ``ViModel``'s.

    python benchmarks/peers/ours.py JOB.json

The one thing that ``ViModel`` does not offer is an answer that no token ends, which the job's ``forced`` asks for; so
the model is opened as ``ViModel`` opens it, and its end-of-sequence tokens are taken away.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from protocol import Round, serve

from vi.inference.answerer import Answerer
from vi.inference.asks import Asks
from vi.inference.call import CallOptions
from vi.inference.engine.settings import EngineSettings
from vi.inference.generation_config import GenerationConfig, WarnOnce
from vi.inference.loading.open import open_model
from vi.inference.media.policy import MediaPolicy
from vi.inference.runs import find_run
from vi.inference.runs.record import RunRecord

PRECISIONS = {"f32": "exact", "bf16": "fast"}
DTYPES = {"f32": "float32", "bf16": "bfloat16"}


def load(job: dict[str, Any]) -> Round:
    return requests_round(job, open_answerer(job))


def open_answerer(job: dict[str, Any]) -> Answerer:
    files = find_run(pretrained_model_name_or_path=job["model"])
    on_device = {"device": job["device"], "dtype": DTYPES[job["precision"]]} if job.get("device") else {}
    loaded = open_model(files, runner=job.get("runner", "auto"), show_progress=False, **on_device)
    if job["forced"]:
        loaded = replace(loaded, eos_token_ids=())
    options = {"precision": PRECISIONS[job["precision"]], "threads": job["threads"], **job["engine"]}
    settings = EngineSettings.coerce(options)
    return Answerer(loaded, _record(job), GenerationConfig(), WarnOnce(logging.getLogger()), settings)


def requests_round(job: dict[str, Any], answerer: Answerer) -> Round:
    """Answers the requests of a round, as the job says."""
    record = _record(job)
    config = GenerationConfig(max_new_tokens=job["max_new_tokens"], repetition_penalty=1.0)
    options = CallOptions(config, _task(job))

    def run(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
        pictures, prompts = [one["picture"] for one in requests], [one["prompt"] for one in requests]
        asks = Asks(record, pictures, prompts, options, MediaPolicy())
        if job["stream"]:
            return _streamed(answerer, asks)
        if job["one_by_one"]:
            return _report([outcome for ask in asks for _, outcome in answerer.answers([ask])])
        with closing(answerer.answers(asks)) as answers:
            return _report([outcome for _, outcome in answers])

    return run


def _task(job: dict[str, Any]) -> str:
    return "generic" if job["schema"] is None else job["task"]


def _record(job: dict[str, Any]) -> RunRecord:
    """With the job's system prompt, whatever the run was trained with."""
    return RunRecord(system_prompts={_task(job): job["system"]})


def _streamed(answerer: Answerer, asks: Asks) -> dict[str, Any]:
    """Each request alone, read piece by piece."""
    (ask,) = asks
    started = time.perf_counter()
    asked = answerer.ask(ask)
    first = None
    for _ in asked.generation:
        first = first or time.perf_counter() - started
    return {**_report([(asked.respond(asked.generation.completion()), None)]), "first": first}


def _report(outcomes: Sequence[Any]) -> dict[str, Any]:
    answers = []
    for answer, error in outcomes:
        if error is not None:
            raise error
        answers.append(answer)
    return {
        "tokens": [answer.usage.completion_tokens for answer in answers],
        "prompt_tokens": [answer.usage.prompt_tokens for answer in answers],
        "cached_tokens": [answer.usage.cached_tokens for answer in answers],
        "texts": [answer.raw_output for answer in answers],
    }


if __name__ == "__main__":
    serve(load)
