"""Throughput against batch size and against the number of pictures, and where an engine's time goes, as plots.

    python benchmarks/sweep.py [--pictures 64] [--repeats 3] [--out benchmarks/images]

Writes ``throughput-by-batch.png`` (answers a second with at most 1, 2, 4 ... requests at once),
``throughput-by-pictures.png`` (with 1, 4, 16 ... pictures a call) and ``engine-time.png`` (seconds of the device's
thread by part: vision, prefill, decode, sampler, grammar, idle ...), all of the embedded run: with a JSON answer
(workload A) and with as many free tokens (B). Needs matplotlib. Every round has pictures of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import matplotlib as mpl
from parts import Parts
from workloads import EMBEDDED, WORKLOADS, make_job

sys.path.insert(0, str(Path(__file__).parent / "peers"))
from ours import open_answerer, requests_round

mpl.use("Agg")
import matplotlib.pyplot as plt

BATCHES = (1, 2, 4, 8, 16, 32, 64)
COUNTS = (1, 4, 16, 64, 128)
PARTS = ("vision", "prefill", "decode", "sampler", "grammar", "idle")  # drawn first, whatever else is counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=64, help="a call, where the batch size varies (64)")
    parser.add_argument("--batches", type=int, nargs="+", default=BATCHES)
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="pictures a call")
    parser.add_argument("--repeats", type=int, default=3, help="rounds of each that are timed (3)")
    parser.add_argument("--tokens", type=int, default=64, help="of an answer (64)")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="bf16")
    parser.add_argument("--threads", type=int, help="all cores if left out")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"by_batch": {}, "by_pictures": {}, "parts": {}}
    for name in ("A", "B"):
        found["by_batch"][name] = {batch: rate(chosen, name, batch, chosen.pictures)[0] for batch in chosen.batches}
        found["by_pictures"][name] = {count: rate(chosen, name, 32, count)[0] for count in chosen.counts}
        found["parts"][name] = rate(chosen, name, 32, chosen.pictures, look=True)[1]
    plot_rates(found["by_batch"], "requests at once", chosen.out / "throughput-by-batch.png")
    plot_rates(found["by_pictures"], "pictures a call", chosen.out / "throughput-by-pictures.png")
    plot_parts(found["parts"], chosen.out / "engine-time.png")
    print(json.dumps(found, indent=1) if chosen.json else text(found))


def rate(
    chosen: argparse.Namespace, name: str, batch: int, pictures: int, look: bool = False
) -> tuple[float, dict[str, float]]:
    """(answers a second, the median of the rounds; seconds a round by part where it is looked into)."""
    with tempfile.TemporaryDirectory() as folder:
        job = make_job(
            WORKLOADS[name],
            EMBEDDED,
            Path(folder),
            pictures=pictures,
            rounds=chosen.repeats + 1,
            tokens=chosen.tokens,
            batch=batch,
        )
        job.update(precision=chosen.precision, threads=chosen.threads, engine={"max_batch": batch})
        answerer = open_answerer(job)
        try:
            run = requests_round(job, answerer)
            run(job["rounds"][0])
            if not look:
                return pictures / statistics.median(_seconds(run, one) for one in job["rounds"][1:]), {}
            parts = Parts()
            with parts.of(answerer._engine._loop):
                speed = pictures / statistics.median(_seconds(run, one) for one in job["rounds"][1:])
            return speed, {part: seconds / chosen.repeats for part, seconds in parts.seconds.most_common()}
        finally:
            answerer.close()


def _seconds(run: Any, requests: Any) -> float:
    started = time.perf_counter()
    run(requests)
    return time.perf_counter() - started


def plot_rates(rates: dict[str, dict[int, float]], label: str, path: Path) -> None:
    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, line in rates.items():
        axes.plot(list(line), list(line.values()), marker="o", label="JSON answer" if name == "A" else "free tokens")
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(line), [str(count) for count in line])
    axes.set_ylim(bottom=0)
    axes.set_xlabel(label)
    axes.set_ylabel("answers a second")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def plot_parts(parts: dict[str, dict[str, float]], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    names = list(dict.fromkeys([*PARTS, *(part for one in parts.values() for part in one)]))
    labels = ["JSON answer" if name == "A" else "free tokens" for name in parts]
    left = [0.0] * len(parts)
    for part in names:
        widths = [one.get(part, 0.0) for one in parts.values()]
        axes.barh(labels, widths, left=left, label=part, color=plt.get_cmap("tab20")(names.index(part)))
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_xlabel("seconds of the device's thread")
    axes.legend(ncols=5, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.25))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def text(found: dict[str, Any]) -> str:
    lines = []
    for title, key in (("requests at once", "by_batch"), ("pictures a call", "by_pictures")):
        for name, line in found[key].items():
            cells = "".join(f"{count:>6}: {speed:<8.2f}" for count, speed in line.items())
            lines.append(f"{name}, answers a second by {title}: {cells}")
    for name, parts in found["parts"].items():
        whole = sum(parts.values())
        cells = ", ".join(f"{part} {seconds:.3f} s ({seconds / whole:.0%})" for part, seconds in parts.items())
        lines.append(f"{name}, the device's thread a round: {cells}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
