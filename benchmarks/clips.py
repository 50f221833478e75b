"""A long clip looked at once a second, against decoding all its frames.

    python benchmarks/clips.py [--minutes 10] [--fps 1] [--keyframes 1 2 5] [--rate 30] [--size 1920x1080]

Makes an H.264 clip of a moving test picture with noise for every distance between keyframes (in seconds; phones write
1, streaming services 2 to 5): ten seconds are encoded and repeated. Prints the seconds, on the clock and of processor
time, that ``load_clip`` takes to frames at model size, that it takes for the frames alone, and that PyAV takes to
decode every frame and do nothing with it. At --rate 30000/1001 the frames wanted stand right before keyframes, which is
the worst case.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.filter import Graph

from vi.inference.media.clip_decoder import decode_wanted
from vi.inference.media.clip_file import ClipFile
from vi.inference.media.deadline import Deadline
from vi.inference.media.frame_choice import choose_frames
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.video import load_clip

SCENE = 10  # seconds
PATIENCE = 7200.0
MODEL_SIZE = (644, 364)


def scene(size: str, rate: Fraction, keyframe_distance: int) -> io.BytesIO:
    """Ten seconds of a test picture that moves, with noise, as MP4."""
    width, height = map(int, size.split("x"))
    graph = Graph()
    chain = [
        graph.add("testsrc2", f"size={size}:rate={rate}"),
        graph.add("noise", "alls=8:allf=t"),
        graph.add("format", "yuv420p"),
        graph.add("buffersink"),
    ]
    graph.link_nodes(*chain).configure()
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as output:
        options = {"preset": "veryfast", "crf": "25", "g": str(keyframe_distance), "sc_threshold": "0", "threads": "1"}
        stream = output.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(round(SCENE * rate)):
            frame = graph.pull()
            frame.pts, frame.time_base, frame.pict_type = number, 1 / rate, 0
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer


def repeat(content: io.BytesIO, times: int, path: Path) -> None:
    """The same packets again and again."""
    shift = 0
    with av.open(str(path), "w") as output:
        stream = None
        for _ in range(times):
            content.seek(0)
            with av.open(content) as source:
                video = source.streams.video[0]
                stream = stream or output.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                    output.mux(packet)
                shift += video.duration


def load(path: Path, fps: float) -> int:
    """Frames at the size a model takes, through the public door."""
    policy = MediaPolicy(max_frames=100_000, clip_decode_timeout=PATIENCE)
    return len(load_clip(path, fps=fps, policy=policy, fit=lambda *_: MODEL_SIZE).frames)


def decode_chosen(path: Path, fps: float) -> int:
    """The same frames, decoded and nothing else."""
    with path.open("rb") as opened:
        file = ClipFile(opened, path.name, Deadline(PATIENCE, path.name))
        index = file.packets().index(file.time_base)
        assert index is not None
        wanted = choose_frames(index.times, index.duration, fps, len(index.pts))
        return sum(1 for _ in decode_wanted(file, index, np.asarray(wanted)))


def decode_all(path: Path, fps: float) -> int:
    """Every frame, decoded and nothing else."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return sum(1 for _ in container.decode(video=0))


def timed(task: Callable[[Path, float], int], path: Path, fps: float) -> tuple[int, float, float]:
    """(frames, seconds on the clock, seconds of the processor)."""
    clock, processor = time.perf_counter(), time.process_time()
    frames = task(path, fps)
    return frames, time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--fps", type=float, default=1.0)
    parser.add_argument("--keyframes", type=float, nargs="+", default=[1.0, 2.0, 5.0], help="seconds between them")
    parser.add_argument("--rate", type=Fraction, default=Fraction(30), help="frames a second")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument(
        "--folder", type=Path, default=None, help="where the clips are made; a temporary one if left out"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        rate, fps = float(arguments.rate), arguments.fps
        print(f"{arguments.minutes:g} min of {arguments.size}, {rate:g} frames a second, looked at at fps={fps:g}")
        print(f"{'keyframes':>10} {'task':<22} {'frames':>7} {'clock s':>8} {'cpu s':>8} {'of all, cpu':>12}")
        for seconds in arguments.keyframes:
            path = Path(folder) / "clip.mp4"
            made = scene(arguments.size, arguments.rate, round(seconds * arguments.rate))
            repeat(made, round(arguments.minutes * 60 / SCENE), path)
            rows = {task.__name__: timed(task, path, fps) for task in (load, decode_chosen, decode_all)}
            for name, (frames, clock, processor) in rows.items():
                share = processor / rows["decode_all"][2]
                print(
                    f"{seconds:>8g} s {name:<22} {frames:>7,} {clock:>8.1f} {processor:>8.1f} {share:>11.2f}x",
                    flush=True,
                )


if __name__ == "__main__":
    main()
