"""vi-sdk, one picture after another as its own batches go, with its own grammar.

    PYTHON benchmarks/peers/vi_sdk_peer.py JOB.json

Needs ``vi-sdk[inference]`` and einops, which it looks for when it loads a model. It is given the job's system prompt
in place of its own. It has no way to write a number of tokens that is asked for, so jobs with ``forced`` are refused;
the tokens of an answer are counted anew from its text.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from protocol import Round, serve


def load(job: dict[str, Any]) -> Round:
    if job["forced"]:
        raise SystemExit("vi-sdk cannot be made to write a given number of tokens: use workload A.")
    _stand_in_for_torchvision()
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    from vi.inference import ViModel
    from vi.inference.task_types import consts

    model = ViModel(pretrained_model_name_or_path=job["model"], device_map="cpu")
    model._loader.model.to(torch.float32 if job["precision"] == "f32" else torch.bfloat16)
    consts.TASK_TYPE_TO_SYSTEM_PROMPT_MAP[consts.TaskType(job["task"])] = job["system"]
    tokenizer = model._loader.processor.tokenizer
    model._loader.processor.chat_template = tokenizer.chat_template
    config = {
        "max_new_tokens": job["max_new_tokens"],
        "repetition_penalty": 1.0,
        "bos_token_id": tokenizer.pad_token_id,
        "eos_token_id": job["eos_token_id"],
    }

    def run(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
        outcomes = model(
            source=[one["picture"] for one in requests],
            user_prompt=[one["prompt"] for one in requests],
            task_type=job["task"],
            generation_config=config,
            stream=False,
            show_progress=False,
        )
        texts = []
        for answer, error in outcomes:
            if error is not None:
                raise error
            texts.append(answer.raw_output)
        return {"tokens": [len(tokenizer(text).input_ids) for text in texts], "prompt_tokens": [], "texts": texts}

    return run


def _stand_in_for_torchvision() -> None:
    """torchvision's wheels bring operators for CUDA builds of torch only; what is needed of them is made here.

    Those it names at import are declared, and never called: pictures are resized by torch's own. They are decoded by
    Pillow.
    """
    try:
        import torchvision
    except RuntimeError:
        operators = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(operators)
        import torchvision
        import torchvision.io

        torchvision.io.decode_image = torchvision.io.image.decode_image = _decode


def _decode(picture: Any, mode: Any = None, **_: Any) -> torch.Tensor:
    """uint8 [3, height, width] of a file or of its bytes."""
    file = io.BytesIO(picture.numpy().tobytes()) if isinstance(picture, torch.Tensor) else picture
    return torch.from_numpy(np.asarray(Image.open(file).convert("RGB")).transpose(2, 0, 1).copy())


_KEPT: list[Any] = []  # a library of operators lives as long as it is referred to

if __name__ == "__main__":
    serve(load)
