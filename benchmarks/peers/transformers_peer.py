"""transformers' ``generate`` in batches, padded on the left; with a schema, held to it by llguidance.

    PYTHON benchmarks/peers/transformers_peer.py JOB.json

Needs transformers 5, torch, pillow, and llguidance for jobs with a schema. The masks of a batch are filled in
parallel and applied at once, which is the most that ``generate``'s interface allows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from protocol import Round, serve
from transformers import AutoTokenizer, LogitsProcessor, Qwen2_5_VLForConditionalGeneration
from transformers.generation.streamers import BaseStreamer
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def load(job: dict[str, Any]) -> Round:
    if job["threads"]:
        torch.set_num_threads(job["threads"])
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(job["model"], dtype=DTYPES[job["precision"]]).eval()
    model.to(job.get("device") or "cpu")
    tokenizer = AutoTokenizer.from_pretrained(job["model"], padding_side="left")
    pictures = Qwen2VLImageProcessorPil.from_pretrained(job["model"])
    config = model.generation_config
    config.max_new_tokens, config.do_sample, config.pad_token_id = job["max_new_tokens"], False, tokenizer.pad_token_id
    end = config.eos_token_id
    if job["forced"]:
        config.eos_token_id = None
    at_once = 1 if job["stream"] or job["one_by_one"] else job["batch"]
    bridge = Schema(tokenizer, job["schema"]) if job["schema"] is not None else None

    def run(requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
        outcome: dict[str, Any] = {"tokens": [], "prompt_tokens": [], "texts": []}
        for start in range(0, len(requests), at_once):
            some = requests[start : start + at_once]
            inputs, watch = _inputs(model, tokenizer, pictures, some), _FirstToken()
            streamer = {"streamer": watch} if job["stream"] else {}
            held = [bridge.processor(len(some))] if bridge else []
            generated = model.generate(**inputs, logits_processor=held, **streamer)
            for row, asked in zip(generated[:, inputs["input_ids"].shape[1] :], inputs["attention_mask"], strict=True):
                ids = row if job["forced"] else _until(row, end)
                outcome["tokens"].append(len(ids))
                outcome["prompt_tokens"].append(int(asked.sum()))
                outcome["texts"].append(tokenizer.decode(ids, skip_special_tokens=True))
            if job["stream"]:
                outcome["first"] = watch.seconds
        return outcome

    return torch.inference_mode()(run)


def _inputs(model: Any, tokenizer: Any, pictures: Any, requests: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the model's own processor makes: placeholders for every place of a picture, token types, padding."""
    pixels = pictures([Image.open(one["picture"]).convert("RGB") for one in requests], return_tensors="pt")
    tag = tokenizer.convert_ids_to_tokens(model.config.image_token_id)
    places = (pixels["image_grid_thw"].prod(-1) // pictures.merge_size**2).tolist()
    texts = [one["rendered"].replace(tag, tag * count) for one, count in zip(requests, places, strict=True)]
    words = tokenizer(texts, return_tensors="pt", padding=True)
    types = (words["input_ids"] == model.config.image_token_id).int()
    inputs = {**words, "mm_token_type_ids": types, **pixels}
    return {name: tensor.to(model.device) for name, tensor in inputs.items()}


def _until(row: torch.Tensor, end: Any) -> list[int]:
    """The tokens up to an end of sequence, that among them."""
    ends = set(end) if isinstance(end, list) else {end}
    ids: list[int] = row.tolist()
    return next((ids[: i + 1] for i, token_id in enumerate(ids) if token_id in ends), ids)


class _FirstToken(BaseStreamer):
    """When the first token was there; ``generate`` puts the prompt first."""

    def __init__(self) -> None:
        self.started, self.seconds, self.puts = time.perf_counter(), 0.0, 0

    def put(self, value: Any) -> None:
        self.puts += 1
        if self.puts == 2:
            self.seconds = time.perf_counter() - self.started

    def end(self) -> None:
        pass


class Schema:
    """A JSON Schema for one tokenizer; its tables are made once."""

    def __init__(self, tokenizer: Any, schema: dict[str, Any]) -> None:
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer

        self.vocabulary = from_tokenizer(tokenizer)
        options = {"whitespace_flexible": False}
        self.first = LLMatcher(self.vocabulary, LLMatcher.grammar_from_json_schema(schema, defaults=options))

    def processor(self, rows: int) -> LogitsProcessor:
        return _Held(self.vocabulary, [self.first.deep_copy() for _ in range(rows)])


class _Held(LogitsProcessor):
    def __init__(self, vocabulary: Any, matchers: list[Any]) -> None:
        import llguidance
        import llguidance.torch

        self.tools, self.matchers, self.steps = llguidance.torch, matchers, 0
        self.executor = llguidance.LLExecutor()
        self.bits = llguidance.torch.allocate_token_bitmask(len(matchers), vocabulary.vocab_size)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        if self.steps:
            for matcher, token_id in zip(self.matchers, input_ids[:, -1].tolist(), strict=True):
                if not matcher.is_stopped():
                    matcher.consume_token(token_id)
        self.steps += 1
        pairs = [(matcher, row) for row, matcher in enumerate(self.matchers)]
        self.tools.fill_next_token_bitmask_par(self.executor, pairs, self.bits)
        self.tools.apply_token_bitmask_inplace(scores, self.bits)
        return scores


if __name__ == "__main__":
    serve(load)
