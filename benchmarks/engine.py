"""The engine at work, alone or side by side with another: on the same weights and pictures.

    python benchmarks/engine.py --workload A
    python benchmarks/engine.py --workload B --peer transformers --peer-python PYTHON
    python benchmarks/engine.py --workload B --peer openvino-genai --peer-python PYTHON --peer-model EXPORTED
    python benchmarks/engine.py --workload C --checkpoint FOLDER ...
    python benchmarks/engine.py --workload E

A is 64 distinct pictures of 224 x 224 with the task's own system prompt, a JSON answer, greedy, by the embedded run.
B is the same with 64 free tokens that nothing ends and no grammar, C is B on 150 million random weights, D one
picture, streamed. E is 16 questions about one picture, against asking them one after another with no prefix and no
picture kept. Models are loaded, and a first round is run, before anything is timed; then ours and theirs take turns,
so that both meet the same weather of a shared machine. Every round has pictures that no engine has seen. Printed are
medians and the ratio of medians; where tokens are forced, both must have written equally many.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from checkpoints import write_large
from exports import is_made_of
from workloads import EMBEDDED, WORKLOADS, Workload, make_job

PEERS = Path(__file__).parent / "peers"
OURS = "vi-inference"
ADAPTERS = {
    OURS: "ours.py",
    "openvino-genai": "openvino_genai_peer.py",
    "llama-cpp": "llama_cpp_peer.py",
    "transformers": "transformers_peer.py",
    "vi-sdk": "vi_sdk_peer.py",
    "vllm": "vllm_peer.py",
}


class Peer:
    """An engine in a process of its own, with its model loaded."""

    def __init__(self, name: str, adapter: str, python: str, job: dict[str, Any], folder: Path) -> None:
        self.name = name
        path = folder / f"{name}.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        command = [python, str(PEERS / adapter), str(path)]
        self._log = (folder / f"{name}.log").open("w+")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )
        self.load = self._answer()["load"]

    def run(self, number: int) -> dict[str, Any]:
        """Round ``number`` of the job: seconds, tokens and texts of its requests."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            raise SystemExit(f"{self.name} has ended with {self._process.returncode}:\n{self._log.read()[-3000:]}")
        return json.loads(line)


def main() -> None:
    chosen = arguments()
    workload = WORKLOADS[chosen.workload]
    with tempfile.TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        peers = []
        for name, adapter, python, job in jobs(chosen, workload, folder):
            peers.append(Peer(name, adapter, python, job, folder))
            stack.callback(peers[-1].close)
        rounds = {peer.name: [peer.run(0)] for peer in peers}
        for number in range(1, chosen.repeats + 1):
            for peer in peers:
                rounds[peer.name].append(peer.run(number))
        rows = [summary(peer, rounds[peer.name]) for peer in peers]
    if chosen.json:
        print(json.dumps({"workload": workload.name, "options": vars_of(chosen), "engines": rows}, indent=1))
    else:
        show(chosen, workload, rows)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", choices=WORKLOADS, required=True)
    parser.add_argument("--peer", choices=[name for name in ADAPTERS if name != OURS])
    parser.add_argument("--peer-python", help="the interpreter of the peer's environment", default=sys.executable)
    parser.add_argument("--peer-model", type=Path, help="the model in the form that the peer takes; ours if left out")
    parser.add_argument("--checkpoint", type=Path, help="of workload C: made there if it is not there yet")
    parser.add_argument("--pictures", type=int, help="a round; 64, or 1 for D and E")
    parser.add_argument("--repeats", type=int, default=5, help="rounds that are timed (5)")
    parser.add_argument("--tokens", type=int, default=64, help="of an answer: most in A and E, exactly in B, C, D (64)")
    parser.add_argument("--batch", type=int, default=16, help="requests at once of a peer that must be told (16)")
    parser.add_argument("--max-batch", type=int, default=32, help="requests at once of ours (32, the default)")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="bf16", help="what is computed in (bf16)")
    parser.add_argument("--peer-precision", choices=("f32", "bf16"), help="the same unless said")
    parser.add_argument("--runner", choices=("auto", "openvino", "torch"), default="auto", help="of ours (auto)")
    parser.add_argument("--threads", type=int, help="of every engine; all cores if left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args()
    if chosen.checkpoint and not WORKLOADS[chosen.workload].large:
        parser.error(f"--checkpoint is of workload C; workload {chosen.workload} asks the embedded run")
    if chosen.workload == "E" and chosen.peer:
        parser.error("workload E compares this package with itself")
    return chosen


def jobs(
    chosen: argparse.Namespace, workload: Workload, folder: Path
) -> Sequence[tuple[str, str, str, dict[str, Any]]]:
    """(name, adapter, interpreter, job) of ours, and of what it is compared with."""
    model = write_large((chosen.checkpoint or folder / "large").resolve()) if workload.large else EMBEDDED
    job = make_job(
        workload,
        model,
        folder,
        pictures=chosen.pictures or workload.pictures,
        rounds=chosen.repeats + 1,
        tokens=chosen.tokens,
        batch=chosen.batch,
    )
    job.update(precision=chosen.precision, threads=chosen.threads, runner=chosen.runner)
    engine = {"max_batch": chosen.max_batch}
    found = [(OURS, ADAPTERS[OURS], sys.executable, {**job, "engine": engine})]
    if workload.name == "E":
        nothing_kept = {**engine, "prefix_cache": False, "feature_cache_bytes": 0}
        for name, one_by_one in (("nothing kept, one by one", True), ("nothing kept, together", False)):
            other = {**job, "engine": nothing_kept, "one_by_one": one_by_one}
            found.append((name, ADAPTERS[OURS], sys.executable, other))
    if chosen.peer:
        if chosen.peer_model and not is_made_of(chosen.peer_model, model):
            raise SystemExit(f"{chosen.peer_model} was not exported from the weights in {model}: export them again.")
        theirs = {
            **job,
            "model": str(chosen.peer_model or model),
            "precision": chosen.peer_precision or chosen.precision,
        }
        found.append((chosen.peer, ADAPTERS[chosen.peer], chosen.peer_python, theirs))
    return found


def summary(peer: Peer, rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds after the first. decode: tokens a second after the first token of a stream."""
    timed = rounds[1:]
    seconds = [one["seconds"] for one in timed]
    tokens = [sum(one["tokens"]) for one in timed]
    row = {
        "engine": peer.name,
        "load": peer.load,
        "seconds": seconds,
        "median": statistics.median(seconds),
        "requests": len(timed[0]["tokens"]),
        "prompt_tokens": sorted({count for one in timed for count in one["prompt_tokens"]}),
        "tokens": tokens,
        "texts": timed[0]["texts"][:2],
    }
    if timed[0].get("first"):
        row["first"] = statistics.median(one["first"] for one in timed)
        row["decode"] = statistics.median(
            (count - 1) / (one["seconds"] - one["first"]) for one, count in zip(timed, tokens, strict=True)
        )
    return row


def show(chosen: argparse.Namespace, workload: Workload, rows: Sequence[dict[str, Any]]) -> None:
    print(
        f"workload {workload.name}, {chosen.precision}, {chosen.repeats} rounds, {rows[0]['requests']} requests a round"
    )
    print(
        f"{'':26}{'median s':>10}{'least':>8}{'most':>8}{'requests/s':>12}{'tokens/s':>10}{'tokens':>8}{'prompt':>10}"
        f"{'load s':>8}{'ratio':>8}"
    )
    for row in rows:
        median, prompts = (
            row["median"],
            "-".join(map(str, (row["prompt_tokens"] or [0])[:: max(1, len(row["prompt_tokens"]) - 1)])),
        )
        tokens = statistics.median(row["tokens"])
        print(
            f"{row['engine']:26}{median:>10.3f}{min(row['seconds']):>8.3f}{max(row['seconds']):>8.3f}"
            f"{row['requests'] / median:>12.2f}{tokens / median:>10.1f}{tokens:>8.0f}{prompts:>10}"
            f"{row['load']:>8.1f}{median / rows[0]['median']:>7.2f}x"
        )
    for row in rows:
        if "first" in row:
            print(
                f"{row['engine']:26}first token after {row['first'] * 1000:.1f} ms, then {row['decode']:.1f} a second"
            )
    if not workload.json and len({tuple(row["tokens"]) for row in rows}) > 1:
        print("NOT COMPARABLE: the engines have not written equally many tokens")
    for row in rows:
        print(f"{row['engine']:26}{row['texts'][0][:90]!r}")


def vars_of(chosen: argparse.Namespace) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in vars(chosen).items()}


if __name__ == "__main__":
    main()
