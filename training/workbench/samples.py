"""Draw the sample pictures and clips that ship with the package, chosen to look good, from a series of their own.

python -m training.workbench.samples [--to src/vi/workbench/samples]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import av

from training.workbench.clips import Clip, frames, random_clip
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
# name -> (clip of the series, action, seconds)
CLIPS = {"entering.mp4": (13, "enter", 3.0), "passing.mp4": (5, "pass", 4.0)}
RATE = 24  # frames a second
SIZE = (640, 360)


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
    for name, (number, action, seconds) in CLIPS.items():
        clip = random_clip(SERIES, number, action=action, aspect=SIZE[0] / SIZE[1], duration=seconds)
        write_clip(folder / name, replace(clip, scene=replace(clip.scene, noise=0.0, jpeg=0)))


def write_clip(path: Path, clip: Clip) -> None:
    """An MP4 of H.264 that every browser plays, the same bytes every time on one build of the encoder."""
    times = [number / RATE for number in range(round(clip.duration * RATE))]
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as file:
        stream = file.add_stream("libx264", rate=RATE, options={"crf": "21", "preset": "slow", "threads": "1"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for picture in frames(clip, times, *SIZE):
            file.mux(stream.encode(av.VideoFrame.from_image(picture)))
        file.mux(stream.encode())


if __name__ == "__main__":
    main()
