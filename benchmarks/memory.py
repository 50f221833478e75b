"""Memory, threads and files of the embedded run after many short requests: they should stay as they are.

    python benchmarks/memory.py [--requests 10000] [--every 1000]

Each request has a picture of its own (of a few sizes), a prompt and a form of a few tokens; every fiftieth is
cancelled. A line every so many requests; at the end how far memory moved since the second line, by when caches are
full. Exits with 1 where it moved by more than 2 %, or a thread, a file or a block was left.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
from pathlib import Path

import numpy as np
from PIL import Image

from vi.inference.engine.request import Request
from vi.inference.engine.settings import EngineSettings
from vi.inference.engine.start import start_engine
from vi.inference.generation_config import GenerationConfig
from vi.inference.loading.open import open_model
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.runs import find_run
from vi.inference.structured.grammar import json_grammar

SIZES = ((64, 64), (96, 64), (64, 128), (128, 128))  # pixels
AT_ONCE = 50
CACHES = 8 << 20  # bytes of features and of keys and values each, so that both are full soon
MOST_MOVED = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=1000, help="requests between two lines")
    chosen = parser.parse_args()
    loaded = open_model(find_run())
    engine = start_engine(loaded, EngineSettings(cache_bytes=CACHES, feature_cache_bytes=CACHES))
    chat, lines = ChatPrompt(loaded), []
    for number in range(0, chosen.requests, AT_ONCE):
        answer(engine, chat, range(number, number + AT_ONCE))
        if (number + AT_ONCE) % chosen.every == 0:
            gc.collect()
            lines.append((number + AT_ONCE, resident_bytes(), threading.active_count(), open_files()))
            print("{:>8,} requests {:>14,} bytes {:>4} threads {:>4} files".format(*lines[-1]), flush=True)
    blocks = engine._loop.underway.scheduler.blocks
    engine.close()
    moved = max(abs(line[1] / lines[1][1] - 1) for line in lines[1:])
    left = blocks.num_blocks - blocks.num_free
    print(f"memory moved by {moved:.2%}; {left} blocks left")
    sys.exit(int(moved > MOST_MOVED or left > 0 or len({line[2:] for line in lines[1:]}) > 1))


def answer(engine, chat, numbers: range) -> None:
    """Ask so many at once, and wait for all."""
    grammar = json_grammar({"enum": ["yes", "no"]})
    generations = []
    for number in numbers:
        width, height = SIZES[number % len(SIZES)]
        pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
        prompt = chat.build(f"Is it {number % 7}?", picture=Image.fromarray(pixels), system_prompt="Answer yes or no.")
        config = GenerationConfig(max_new_tokens=3, seed=number)
        generations.append(engine.submit(Request(prompt, config, None if number % 2 else grammar)))
        if number % AT_ONCE == 7:
            generations[-1].cancel()
    for generation in generations:
        generation.completion()


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


if __name__ == "__main__":
    main()
