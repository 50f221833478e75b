"""OpenVINO GenAI's continuous batching with prefix caching and its own structured output.

    PYTHON benchmarks/peers/openvino_genai_peer.py JOB.json

Needs openvino-genai, numpy and pillow. ``model`` is a folder that optimum-intel exported, see benchmarks/README.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import openvino as ov
import openvino_genai as genai
from PIL import Image
from protocol import Round, serve


def load(job: dict[str, Any]) -> Round:
    scheduler = genai.SchedulerConfig()
    scheduler.cache_size = 2  # GiB
    scheduler.max_num_seqs = job["batch"]
    scheduler.enable_prefix_caching = job["engine"].get("prefix_cache", True)
    options = {"INFERENCE_PRECISION_HINT": job["precision"], "KV_CACHE_PRECISION": job["precision"]}
    if job["threads"]:
        options["INFERENCE_NUM_THREADS"] = job["threads"]
    pipeline = genai.ContinuousBatchingPipeline(job["model"], scheduler, "CPU", options)
    tokenizer, config = pipeline.get_tokenizer(), _config(job)

    def run(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
        if job["stream"]:
            return _streamed(pipeline, tokenizer, config, requests[0])
        groups = [[one] for one in requests] if job["one_by_one"] else [requests]
        results, tokens = [], []
        for group in groups:
            pictures = [[_picture(one["picture"])] for one in group]
            answers = pipeline.generate([one["rendered"] for one in group], pictures, [config] * len(group))
            results += answers
            tokens += [answers[0].perf_metrics.get_num_generated_tokens() / len(group)] * len(group)  # of the group
        return {
            "tokens": tokens,
            "prompt_tokens": [result.perf_metrics.get_num_input_tokens() for result in results],
            "texts": [result.texts[0] for result in results],
        }

    return run


def _config(job: dict[str, Any]) -> Any:
    config = genai.GenerationConfig()
    config.max_new_tokens, config.do_sample, config.apply_chat_template = job["max_new_tokens"], False, False
    config.ignore_eos = job["forced"]
    if not job["forced"]:
        config.eos_token_id = job["eos_token_id"]
        config.stop_token_ids = {job["eos_token_id"]}
    if job["schema"] is not None:
        config.structured_output_config = genai.StructuredOutputConfig(json_schema=json.dumps(job["schema"]))
    return config


def _streamed(pipeline: Any, tokenizer: Any, config: Any, one: dict[str, Any]) -> dict[str, Any]:
    started = time.perf_counter()
    first: list[float] = []

    def piece(text: str) -> Any:
        if not first:
            first.append(time.perf_counter() - started)
        return genai.StreamingStatus.RUNNING

    (result,) = pipeline.generate([one["rendered"]], [[_picture(one["picture"])]], [config], streamer=piece)
    return {
        "tokens": [result.perf_metrics.get_num_generated_tokens()],
        "prompt_tokens": [result.perf_metrics.get_num_input_tokens()],
        "texts": [result.texts[0]],
        "first": first[0] if first else None,
    }


def _picture(path: str) -> Any:
    """uint8 [1, height, width, 3]"""
    return ov.Tensor(np.asarray(Image.open(path).convert("RGB"))[None])


if __name__ == "__main__":
    serve(load)
