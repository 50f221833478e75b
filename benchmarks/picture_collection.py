"""Load every file below a folder, such as Pillow's own Tests/images, and say what became of each.

    python benchmarks/picture_collection.py FOLDER [--seconds 60] [--bytes 1073741824]

Each file is loaded by a process that may be killed: nothing may crash, hang, take more memory than that, or raise
anything but a SourceError. Ends with status 1 where something did.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import resource
import sys
import time
import warnings
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="most time for one file (60)")
    parser.add_argument("--bytes", type=int, default=2**30, help="most memory beyond what an idle process has (1 GiB)")
    chosen = parser.parse_args()
    files = sorted(path for path in chosen.folder.rglob("*") if path.is_file())
    counts, slowest, largest = Counter[str](), (0.0, ""), (0, "nothing")
    worker = Worker(chosen.bytes)
    for path in files:
        started = time.perf_counter()
        outcome, peak = worker.load(path, chosen.seconds)
        slowest = max(slowest, (time.perf_counter() - started, path.name))
        largest = (peak, path.name) if peak > largest[0] else largest
        counts[outcome.partition(":")[0]] += 1
        print(f"{path.relative_to(chosen.folder)}\t{peak / 2**20:.0f} MiB\t{outcome}", flush=True)
    worker.stop()
    print(f"\n{len(files)} files: " + ", ".join(f"{count} {what}" for what, count in counts.most_common()))
    print(f"slowest {slowest[0]:.2f} s ({slowest[1]}); most memory of the process for one {largest[0] / 2**20:.0f} MiB"
          f" ({largest[1]})")  # fmt: skip
    return 0 if set(counts) <= {"loaded", "refused"} else 1


class Worker:
    """A process that loads files, replaced where it ends or is too slow."""

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._start()

    def load(self, path: Path, seconds: float) -> tuple[str, int]:
        """What became of the file, and the most bytes that the process had meanwhile."""
        self._pipe.send(path)
        if not self._pipe.poll(seconds):
            return self._replace(f"hung: over {seconds:g} s"), 0
        try:
            return self._pipe.recv()
        except EOFError:
            self._process.join()
            return self._replace(f"crashed: exit code {self._process.exitcode}"), 0

    def stop(self) -> None:
        self._process.kill()
        self._process.join()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, self._memory), daemon=True)
        self._process.start()
        other.close()

    def _replace(self, outcome: str) -> str:
        self.stop()
        self._start()
        return outcome


def _serve(pipe: Connection, memory: int) -> None:
    from vi.inference.errors import SourceError
    from vi.inference.media.image import load_picture
    from vi.inference.media.sources import expand

    warnings.simplefilter("ignore")
    logging.disable()
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    while True:
        path = pipe.recv()
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
        try:
            size = load_picture(expand(path).items[0]).original_size
            outcome = f"loaded: {size[0]} x {size[1]}"
        except SourceError as error:
            outcome = f"refused: {error}" if str(error).isprintable() else f"stray text: {error!r}"
            if isinstance(error.__cause__, MemoryError):
                outcome = "memory: more than allowed"
        except MemoryError:
            outcome = "memory: more than allowed"
        except BaseException as error:
            outcome = f"raised: {type(error).__name__}: {error}"
        pipe.send((outcome, _peak()))


def _peak() -> int:
    """Most bytes in memory since the last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    sys.exit(main())
