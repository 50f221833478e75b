"""The first answer of a fresh process: ``vi-infer predict`` on a sample picture, from the shell to the exit.

    python benchmarks/cold.py [--repeats 7] [--json]

A run that is not counted comes first, so that files are in the page cache, as they are on a machine in use. Then the
same is done in as many processes that say when they reached what (interpreter, imports, model, answer), and the
packages that take longest to import are listed, each with all that it brings (``python -X importtime``).
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "src/vi/workbench/samples/parts.png"
PROMPT = "How many parts are there?"
PREDICT = [sys.executable, "-c", "from vi.cli import main; main()", "predict", str(SAMPLE), "-p", PROMPT, "--json"]
STAGES = f"""
import json, time
began = time.time()
from vi.inference import ViModel
import vi.inference.answerer, vi.inference.loading.open, vi.inference.engine.runners.openvino_runner
imported = time.time()
model = ViModel()
loaded = time.time()
model({str(SAMPLE)!r}, {PROMPT!r}, show_progress=False)
first = time.time()
model({str(SAMPLE)!r}, {PROMPT + " "!r}, show_progress=False)
again = time.time()
print(json.dumps([began, imported, loaded, first, again]))
"""
IMPORTS = "import vi.cli, vi.inference.model, vi.inference.answerer, vi.inference.engine.runners.openvino_runner"
LISTED = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7, help="processes that are timed (7)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    answer()
    seconds = [answer() for _ in range(chosen.repeats)]
    found = {
        "seconds": seconds,
        "median": statistics.median(seconds),
        "stages": stages(chosen.repeats),
        "imports": imports(),
    }
    if chosen.json:
        print(json.dumps(found, indent=1))
        return
    print(f"first answer of a fresh process: {found['median']:.2f} s ({min(seconds):.2f} to {max(seconds):.2f})")
    for name, value in found["stages"].items():
        print(f"  {name:28}{value * 1000:>8.0f} ms")
    print("imports, with what they bring")
    for name, value in found["imports"]:
        print(f"  {name:44}{value * 1000:>8.0f} ms")


def answer() -> float:
    """Seconds of one process that answers one question."""
    started = time.perf_counter()
    subprocess.run(PREDICT, check=True, capture_output=True)
    return time.perf_counter() - started


def stages(repeats: int) -> dict[str, float]:
    """Median seconds between the milestones of such a process."""
    runs: list[dict[str, float]] = []
    for _ in range(repeats):
        started = time.time()
        done = subprocess.run([sys.executable, "-c", STAGES], check=True, capture_output=True, text=True)
        times = [started, *json.loads(done.stdout)]
        names = ("interpreter", "imports", "ViModel()", "first answer", "second answer")
        runs.append({name: after - before for name, before, after in zip(names, times, times[1:], strict=False)})
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def imports() -> list[tuple[str, float]]:
    """(package, seconds of its longest import with all that it brings), the longest first."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", IMPORTS], check=True, capture_output=True, text=True
    )
    lines = re.findall(r"import time:\s+\d+ \|\s+(\d+) \|\s+(\S+)", done.stderr)
    longest: dict[str, float] = {}
    for microseconds, name in lines:
        package = name.split(".")[0]
        longest[package] = max(longest.get(package, 0.0), int(microseconds) / 1e6)
    return sorted(longest.items(), key=lambda item: -item[1])[:LISTED]


if __name__ == "__main__":
    main()
