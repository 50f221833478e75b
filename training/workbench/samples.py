"""Draw the sample pictures that ship with the package: scenes chosen to look good, from a series of their own.

python -m training.workbench.samples [--to src/vi/workbench/samples]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from training.workbench.scenes import draw, random_scene

SERIES = 41  # no training nor evaluation uses it
# name -> (scene of the series, longer side in pixels)
CHOSEN = {
    "bearings.jpg": (43, 560),
    "belt.jpg": (100, 560),
    "bolts.jpg": (37, 640),
    "gears.jpg": (87, 512),
    "paper.jpg": (55, 400),
    "parts.png": (65, 420),
    "springs.jpg": (57, 480),
    "wood.jpg": (71, 640),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("src/vi/workbench/samples"))
    folder = parser.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    for name, (number, longest) in CHOSEN.items():
        scene = random_scene(SERIES, number)
        width = longest if scene.aspect >= 1 else round(longest * scene.aspect)
        height = round(width / scene.aspect)
        draw(scene, width, height).save(folder / name, quality=92)


if __name__ == "__main__":
    main()
