"""Many clients at one server for a while: no error, memory flat, and how long answers take.

python benchmarks/soak_server.py --clients 64 --minutes 10
"""

from __future__ import annotations

import argparse
import base64
import collections
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import psutil

from vi.workbench import samples

WORDS = ("How many gears are there?", "What is visible?", "Which parts are silver?", "Is there a nut?")


class Soak:
    """What the clients saw: seconds of each answer by kind, and errors by text."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pictures = [
            f"data:image/{path.suffix[1:].replace('jpg', 'jpeg')};base64,{base64.b64encode(path.read_bytes()).decode()}"
            for path in samples()
            if path.suffix in (".jpg", ".png")
        ]
        self.seconds: dict[str, list[float]] = collections.defaultdict(list)
        self.first: list[float] = []
        self.errors: collections.Counter[str] = collections.Counter()
        self.tokens = 0
        self._lock = threading.Lock()

    def client(self, seed: int, until: float) -> None:
        """One client, which asks again as soon as it is answered."""
        draw = random.Random(seed)
        kinds: tuple[Callable[[httpx.Client, random.Random], None], ...] = (self._chat, self._events, self._leave)
        with httpx.Client(base_url=self._url, timeout=300, trust_env=False) as http:
            while time.monotonic() < until:
                (ask,) = draw.choices(kinds, (6, 3, 1))
                started = time.monotonic()
                try:
                    ask(http, draw)
                except Exception as error:
                    with self._lock:
                        self.errors[f"{type(error).__name__}: {error}"[:200]] += 1
                    continue
                with self._lock:
                    self.seconds[ask.__name__.strip("_")].append(time.monotonic() - started)

    def _chat(self, http: httpx.Client, draw: random.Random) -> None:
        content = [
            {"type": "image_url", "image_url": {"url": draw.choice(self._pictures)}},
            {"type": "text", "text": draw.choice(WORDS)},
        ]
        asked = {
            "model": "workbench",
            "messages": [{"role": "user", "content": content}],
            "task_type": draw.choice(("vqa", "freeform")),
            "temperature": draw.choice((0, 0.7)),
            "max_tokens": 96,
            "seed": draw.randrange(1000),
        }
        reply = http.post("/v1/chat/completions", json=asked)
        reply.raise_for_status()
        with self._lock:
            self.tokens += reply.json()["usage"]["completion_tokens"]

    def _events(self, http: httpx.Client, draw: random.Random) -> None:
        started, first = time.monotonic(), None
        with http.stream("POST", "/v1/predict", json=self._asked(draw)) as reply:
            reply.raise_for_status()
            lines = []
            for line in reply.iter_lines():
                first = time.monotonic() - started if first is None else first
                lines.append(line)
        if "event: done" not in lines:
            raise RuntimeError(f"A stream ended without its answer: {lines[-2:]}")
        with self._lock:
            self.first.append(first or 0.0)

    def _leave(self, http: httpx.Client, draw: random.Random) -> None:
        with http.stream("POST", "/v1/predict", json=self._asked(draw)) as reply:
            reply.raise_for_status()
            next(reply.iter_lines())

    def _asked(self, draw: random.Random) -> dict[str, Any]:
        config = {"max_new_tokens": 96}
        return {
            "source": draw.choice(self._pictures),
            "user_prompt": draw.choice(WORDS),
            "task_type": draw.choice(("vqa", "phrase-grounding")),
            "generation_config": config,
            "stream": True,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--minutes", type=float, default=10)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "vi", "serve", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        url = re.search(r"http://\S+", process.stderr.readline())[0]
        threading.Thread(target=lambda: collections.deque(process.stderr, maxlen=0), daemon=True).start()  # its log
        soak(url, psutil.Process(process.pid), arguments.clients, arguments.minutes * 60)
    finally:
        process.terminate()
        print(f"exit code after SIGTERM: {process.wait(60)}")


def soak(url: str, server: psutil.Process, clients: int, seconds: float) -> None:
    """Ask, print memory now and then, and at the end what was seen."""
    with httpx.Client(base_url=url, trust_env=False) as http:
        while http.get("/ready").status_code != 200:
            time.sleep(0.1)
    found, started = Soak(url), time.monotonic()
    threads = [threading.Thread(target=found.client, args=(n, started + seconds)) for n in range(clients)]
    for thread in threads:
        thread.start()
    memory = []
    while any(thread.is_alive() for thread in threads):
        time.sleep(max(1.0, seconds / 20))
        memory.append(server.memory_info().rss / 1e6)
        answered = sum(map(len, found.seconds.values()))
        elapsed, count = time.monotonic() - started, server.num_threads()
        print(f"{elapsed:6.0f} s  {answered:6,} answers  {memory[-1]:7.0f} MB  {count} threads")
    report(found, memory, time.monotonic() - started)
    with httpx.Client(base_url=url, trust_env=False) as http:
        time.sleep(1)
        gauges = [
            line for line in http.get("/metrics").text.splitlines() if re.match(r"vi_(underway|running|queue) ", line)
        ]
        print("afterwards:", ", ".join(gauges))


def report(found: Soak, memory: list[float], seconds: float) -> None:
    """The table, and what went wrong."""
    for kind, times in (*found.seconds.items(), ("first event", found.first)):
        ranked = sorted(times)
        p50, p99 = statistics.median(ranked), ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))]
        print(f"{kind:12} {len(ranked):7,}  p50 {p50:6.2f} s  p99 {p99:6.2f} s  max {ranked[-1]:6.2f} s")
    print(
        f"answers/s {sum(map(len, found.seconds.values())) / seconds:.1f}, chat tokens/s {found.tokens / seconds:.0f}"
    )
    half = len(memory) // 2
    print(f"memory: {memory[half]:.0f} MB halfway, {memory[-1]:.0f} MB at the end, {max(memory):.0f} MB at most")
    print(f"errors: {sum(found.errors.values())} {dict(found.errors)}")


if __name__ == "__main__":
    main()
