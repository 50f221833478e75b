"""What bounds a model on this machine: operations and bytes of its steps, against what the machine does of either.

    python benchmarks/roofline.py [--checkpoint FOLDER] [--context 200] [--prompt 148] [--threads N]

Counted from the checkpoint: a step of decoding reads all weights of the language model once, whatever the rows, and
each row's keys and values, and takes two operations a weight and row; a prompt takes them for each of its tokens, a
picture for each of its patches. Measured: how fast memory is copied (bytes read and written, numpy, one thread a
core) and how many operations a second a large product of matrices reaches in OpenVINO at this precision. The floor is
the longer of the two times: no engine is faster, unless the weights stay in a cache between steps.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops
from safetensors import safe_open
from workloads import EMBEDDED

ROWS = (1, 16, 32)
BYTES = {"bf16": 2, "f32": 4}
COPIED = 2**28  # bytes a thread: larger than any cache
SIDE = 2048  # of the matrices


@dataclass(frozen=True)
class Model:
    """Parameters by part; ``keys`` are the numbers of keys and values that a token leaves behind."""

    language: int
    head: int
    vision: int
    keys: int
    attention: int  # operations for one token to look at another, in all layers

    @classmethod
    def of(cls, folder: Path) -> Model:
        text = json.loads((folder / "config.json").read_text(encoding="utf-8"))["text_config"]
        sizes = {"language": 0, "head": 0, "vision": 0}
        with safe_open(folder / "model.safetensors", "np") as file:
            for name in file.keys():  # noqa: SIM118 (it is no dict)
                part = "vision" if "visual" in name else "head" if "embed_tokens" in name else "language"
                sizes[part] += prod(file.get_slice(name).get_shape())
        layers, heads = text["num_hidden_layers"], text["num_attention_heads"]
        side = text["hidden_size"] // heads
        return cls(**sizes, keys=2 * layers * text["num_key_value_heads"] * side, attention=4 * layers * heads * side)

    def step(self, rows: int, context: int, width: int) -> tuple[float, float]:
        """(operations, bytes) of one step of decoding; ``width``: bytes a number."""
        weights = self.language + self.head
        operations = rows * (2 * weights + self.attention * context)
        return operations, width * (weights + rows * self.keys * context)

    def read(self, tokens: int) -> float:
        """Operations for a prompt of so many tokens, of which one is asked for the next."""
        return 2 * self.language * tokens + self.attention * tokens**2 / 2 + 2 * self.head


def copy_speed(threads: int) -> float:
    """Bytes a second, read and written, of the best of five copies."""
    pairs = [(np.ones(COPIED // 4, np.float32), np.zeros(COPIED // 4, np.float32)) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        best = _best(lambda: list(pool.map(lambda pair: np.copyto(pair[1], pair[0]), pairs)))
    return 2 * COPIED * threads / best


def product_speed(precision: str, threads: int) -> float:
    """Operations a second of a product of two square matrices, one of them a constant as weights are."""
    left = ops.parameter([SIDE, SIDE], np.float32)
    graph = ov.Model([ops.matmul(left, ops.constant(np.ones((SIDE, SIDE), np.float32)), False, True)], [left])
    options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()
    request.set_input_tensor(ov.Tensor(np.ones((SIDE, SIDE), np.float32)))
    return 2 * SIDE**3 / _best(request.infer)


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of five, after one that does not count."""
    work()
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, nargs="+", default=[EMBEDDED], help="the embedded run if left out")
    parser.add_argument("--context", type=int, default=180, help="tokens that a row has behind it (180)")
    parser.add_argument("--prompt", type=int, default=148, help="tokens of a prompt (148)")
    parser.add_argument("--patches", type=int, default=196, help="of a picture (196)")
    parser.add_argument("--precision", choices=tuple(BYTES), default="bf16")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="all cores if left out")
    chosen = parser.parse_args()
    moved, done = copy_speed(chosen.threads), product_speed(chosen.precision, chosen.threads)
    print(
        f"this machine, {chosen.threads} threads, {chosen.precision}: {moved / 1e9:.1f} GB/s, {done / 1e9:.0f} GFLOP/s"
    )
    for folder in chosen.checkpoint:
        model = Model.of(folder)
        print(f"\n{folder}: {model.language:,} + {model.head:,} + {model.vision:,} (language, head, vision)")
        for rows in ROWS:
            operations, size = model.step(rows, chosen.context, BYTES[chosen.precision])
            print(
                f"  a step at {rows:2} rows: {size / 1e6:7.1f} MB {size / moved * 1e3:7.3f} ms, "
                f"{operations / 1e9:7.3f} GFLOP {operations / done * 1e3:7.3f} ms"
            )
        for what, operations in (  # at most: the merger sees a quarter of the patches
            (f"a prompt of {chosen.prompt}", model.read(chosen.prompt)),
            (f"a picture of {chosen.patches} patches", 2.0 * model.vision * chosen.patches),
        ):
            print(f"  {what}: {operations / 1e9:.3f} GFLOP {operations / done * 1e3:.3f} ms")


if __name__ == "__main__":
    main()
