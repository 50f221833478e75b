"""The sample clips: small files that the package itself reads, and the same scenes from the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from training.workbench.clips import frame, random_clip
from training.workbench.samples import CLIPS, SIZE, write_clip

from vi import workbench
from vi.inference.media.video import load_clip


def test_all_samples_together_are_small():
    paths = workbench.samples()
    assert sum(path.stat().st_size for path in paths) < 1e6
    assert {path.name for path in paths if path.suffix == ".mp4"} == set(CLIPS)


def test_sample_clips_are_read_by_the_package():
    for name, (_, _, seconds) in CLIPS.items():
        clip = load_clip(workbench.sample(name), fps=4.0)
        assert len(clip.frames) == 4 * seconds
        assert clip.original_size == SIZE
        assert not clip.warnings


def test_a_written_clip_shows_what_was_drawn(tmp_path):
    clip = random_clip(41, 2, action="move", aspect=SIZE[0] / SIZE[1], duration=2.0)
    clip = replace(clip, scene=replace(clip.scene, noise=0.0, jpeg=0))
    write_clip(tmp_path / "clip.mp4", clip)
    seen = load_clip(tmp_path / "clip.mp4", fps=4.0)
    for t, picture in zip(seen.timestamps, seen.frames, strict=True):
        drawn = np.asarray(frame(clip, t, *SIZE), float)
        assert np.abs(np.asarray(picture, float) - drawn).mean() < 6
