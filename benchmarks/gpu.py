"""A model of Qwen2.5-VL-3B's shape on a GPU: this engine beside transformers' ``generate``, a step beside its floor.

    python benchmarks/gpu.py --checkpoint FOLDER
    python benchmarks/gpu.py --shape tiny --device cpu --precision f32 --rows 2 --tokens 4 --rounds 1

Random weights (7.5 GB for 3B's shape) are written into FOLDER unless they are there. Both engines load them, each in
a process of its own, and take turns with workload B: so many requests at once, a picture each, exactly so many tokens,
no grammar. Then steps of decoding are timed alone, by this package's torch runner: the floor of one is the time that
the device takes to read the language model's weights and every row's keys and values once, at the speed at which it
copies its own memory. The second command tries the script out on any machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from checkpoints import SHAPES, write_random
from engine import ADAPTERS, OURS, Peer, summary
from roofline import BYTES, Model
from workloads import WORKLOADS, make_job

from vi.inference.engine.batch import Batch

CACHE_BYTES = {"3b": 4 << 30, "large": 1 << 30, "tiny": 1 << 26}
COPIED = {"cpu": 1 << 26}  # bytes that are copied to learn the speed of memory; 4 GiB elsewhere
STEPS = 20


def main() -> None:
    chosen = arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = write_random((chosen.checkpoint or folder / "model").resolve(), SHAPES[chosen.shape])
        rows = engines(chosen, model, folder)
        step = decode_step(chosen, model)
    if chosen.json:
        print(json.dumps({"engines": rows, "step": step}, indent=1))
        return
    for row in rows:
        tokens = statistics.median(row["tokens"])
        ratio = row["median"] / rows[0]["median"]
        print(f"{row['engine']:14}{row['median']:9.3f} s {tokens / row['median']:10.1f} tokens/s {ratio:7.2f}x")
    print(
        f"a step of {chosen.rows} rows, {chosen.context} tokens behind each: {step['ms']:.3f} ms; its floor"
        f" {step['floor_ms']:.3f} ms at {step['bytes_a_second'] / 1e9:.0f} GB/s, {step['ms'] / step['floor_ms']:.2f}x"
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, help="where the weights are kept; made anew each time if left out")
    parser.add_argument("--shape", choices=SHAPES, default="3b", help="of the weights (3b)")
    parser.add_argument("--device", default="cuda", help="cuda, mps or cpu, as torch names them (cuda)")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="bf16", help="what is computed in (bf16)")
    parser.add_argument("--rows", type=int, default=32, help="requests at once (32)")
    parser.add_argument("--tokens", type=int, default=64, help="of an answer (64)")
    parser.add_argument("--context", type=int, default=300, help="tokens behind each row of the step (300)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that are timed (5)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args()


def engines(chosen: argparse.Namespace, model: Path, folder: Path) -> list[dict[str, Any]]:
    """Medians of both over the rounds after the first; exits where they have not written equally many tokens."""
    sizes = {"pictures": chosen.rows, "rounds": chosen.rounds + 1, "tokens": chosen.tokens, "batch": chosen.rows}
    job = make_job(WORKLOADS["B"], model, folder, **sizes)
    job.update(precision=chosen.precision, device=chosen.device, runner="torch")
    job["engine"] = {"max_batch": chosen.rows, "cache_bytes": CACHE_BYTES[chosen.shape]}
    with ExitStack() as stack:
        peers = []
        for name in (OURS, "transformers"):
            peers.append(Peer(name, ADAPTERS[name], sys.executable, job, folder))
            stack.callback(peers[-1].close)
        rounds = [[peer.run(number) for peer in peers] for number in range(chosen.rounds + 1)]
    rows = [summary(peer, of_peer) for peer, of_peer in zip(peers, zip(*rounds, strict=True), strict=True)]
    if rows[0]["tokens"] != rows[1]["tokens"]:
        raise SystemExit(f"Not comparable: {rows[0]['tokens']} tokens and {rows[1]['tokens']}.")
    return rows


def decode_step(chosen: argparse.Namespace, model: Path) -> dict[str, float]:
    """Milliseconds of a step by the torch runner, those of its floor, and the bytes a second that it is taken from."""
    from vi.inference.engine.runners.torch_runner import PagedTorchRunner
    from vi.inference.loading.loader import load
    from vi.inference.runs import find_run

    dtype = {"f32": "float32", "bf16": "bfloat16"}[chosen.precision]
    weights: Any = load(find_run(pretrained_model_name_or_path=model), device=chosen.device, dtype=dtype).weights
    blocks = -(-(chosen.context + 1) // 32)
    runner = PagedTorchRunner(
        weights.model, weights.config, weights.device, weights.dtype, num_blocks=chosen.rows * blocks
    )
    batch = rows_of(chosen.rows, chosen.context, blocks)
    seconds = timed(lambda: runner.run(batch), chosen.device)
    speed = memory_speed(chosen.device)
    _, read = Model.of(model).step(chosen.rows, chosen.context, BYTES[chosen.precision])
    return {"ms": seconds * 1e3, "floor_ms": read / speed * 1e3, "bytes_a_second": speed}


def rows_of(rows: int, context: int, blocks: int) -> Batch:
    """Rows with a token each, ``context`` others before it in ``blocks`` blocks of the cache."""
    count = np.arange(rows + 1, dtype=np.int32)
    return Batch(
        token_ids=np.full(rows, 7, np.int64),
        positions=np.full((3, rows), context, np.int64),
        begins=count,
        past_lens=np.full(rows, context, np.int32),
        block_indices=np.arange(rows * blocks, dtype=np.int32),
        block_begins=count * blocks,
        wanted=np.arange(rows, dtype=np.int64),
    )


def memory_speed(device: str) -> float:
    """Bytes a second, read and written, of a copy within the device's memory."""
    import torch

    size = COPIED.get(device, 1 << 32)
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / timed(lambda: target.copy_(source), device)


def timed(work: Callable[[], object], device: str) -> float:
    """Median seconds of one, after three that do not count; the device is waited for each time."""
    import torch

    wait = torch.cpu.synchronize if device == "cpu" else getattr(torch, device.partition(":")[0]).synchronize
    seconds = []
    for _ in range(STEPS + 3):
        wait()
        started = time.perf_counter()
        work()
        wait()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[3:])


if __name__ == "__main__":
    main()
