"""Pictures to model input: this package against ``Image.open().convert("RGB")`` plus transformers' processor.

    python benchmarks/pictures.py [--count 1000] [--megapixels 12] [--folder FOLDER] [--max-pixels 1003520]

Prepares each picture for Qwen2.5-VL both ways, in turns and on one thread each, and prints pictures a second. Without a
folder of JPEGs of your own it draws a few with the detail of photographs and goes round them.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from vi.inference.media.image import load_picture
from vi.inference.media.sources import expand
from vi.inference.preprocess.qwen_pixels import QwenPixels

DRAWN = 4
Prepare = Callable[[Path], np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="pictures to prepare (1000)")
    parser.add_argument("--megapixels", type=float, default=12.0, help="of those that are drawn (12)")
    parser.add_argument("--folder", type=Path, help="JPEGs to take in place of drawn ones")
    parser.add_argument("--max-pixels", type=int, default=1280 * 28 * 28, help="what the model sees at most (1003520)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as drawn:
        files = sorted(chosen.folder.glob("*.jp*g")) if chosen.folder else draw(Path(drawn), chosen.megapixels)
        ways = {"this package": ours(chosen.max_pixels), "Pillow + transformers": theirs(chosen.max_pixels)}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for file in itertools.islice(itertools.cycle(files), chosen.count):
            shapes = set()
            for name, prepare in ways.items():
                started = time.perf_counter()
                shapes.add(prepare(file).shape)
                seconds[name].append(time.perf_counter() - started)
            assert len(shapes) == 1, f"{file} is not prepared alike: {shapes}"
        report(files, seconds, [difference(file, *ways.values()) for file in files[:DRAWN]])


def ours(max_pixels: int) -> Prepare:
    encoder = QwenPixels({"max_pixels": max_pixels})

    def prepare(file: Path) -> np.ndarray:
        (item,) = expand(file).items
        picture = load_picture(item, at_most_pixels=encoder.max_pixels)
        return encoder.encode([picture.pixels]).arrays["pixel_values"]

    return prepare


def theirs(max_pixels: int) -> Prepare:
    processor = Qwen2VLImageProcessorPil(max_pixels=max_pixels)
    return lambda file: processor(images=Image.open(file).convert("RGB"), return_tensors="np")["pixel_values"]


def difference(file: Path, one: Prepare, other: Prepare) -> float:
    """Mean absolute difference of the two inputs, in steps of 8-bit pixels (a step is about 1 / 69 after scaling)."""
    return float(np.abs(one(file) - other(file)).mean() * 255 * 0.27)


def draw(folder: Path, megapixels: float) -> list[Path]:
    """JPEGs of soft shapes with grain, three quarters as high as wide, that compress as photographs do."""
    width = round(math.sqrt(megapixels * 1e6 * 4 / 3))
    height = round(width * 3 / 4)
    files = []
    for number in range(DRAWN):
        dice = np.random.default_rng(number)
        shapes = Image.fromarray(dice.integers(0, 256, (60, 80, 3), np.uint8)).resize((width, height))
        grain = dice.normal(0, 5, (height, width, 1)).astype(np.float32)
        pixels = np.clip(np.asarray(shapes) + grain, 0, 255).astype(np.uint8)
        files.append(folder / f"{number}.jpg")
        Image.fromarray(pixels).save(files[-1], quality=90)
    return files


def report(files: list[Path], seconds: dict[str, list[float]], differences: list[float]) -> None:
    size = statistics.mean(file.stat().st_size for file in files)
    with Image.open(files[0]) as image:
        print(f"{len(next(iter(seconds.values()))):,} JPEGs of {image.width} x {image.height}, {size / 1e6:.1f} MB")
    print(f"{'':24}{'median':>10}{'a second':>10}")
    for name, each in seconds.items():
        print(f"{name:24}{statistics.median(each) * 1000:>7.1f} ms{len(each) / sum(each):>10.1f}")
    mine, other = seconds.values()
    print(f"{'times as fast':24}{statistics.median(other) / statistics.median(mine):>10.2f}")
    print(f"mean difference of inputs: {statistics.mean(differences):.2f} of 255")


if __name__ == "__main__":
    main()
