"""Clips: functions of their numbers, with the truth where the pixels are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training.workbench.clips import ACTIONS, DIRECTIONS, LONGEST, SHORTEST, frame, frames, is_inside, random_clip

MOVERS = ("move", "enter", "leave")


@given(st.integers(0, 2**31), st.integers(0, 2**31), st.sampled_from(list(ACTIONS)))
@settings(max_examples=80)
def test_a_clip_is_a_function_of_its_numbers(seed, index, action):
    clip = random_clip(seed, index, action=action)
    assert clip == random_clip(seed, index, action=action)
    assert SHORTEST <= clip.duration <= LONGEST
    assert all(0 <= motion.start <= motion.stop <= clip.duration for motion in clip.motions)
    assert action == "pass" or len(clip.motions) == (action != "still")
    assert action == "pass" or 0 <= len(clip.scene.parts) <= 5


@given(st.integers(0, 2**31), st.sampled_from(MOVERS))
@settings(max_examples=80)
def test_what_moves_goes_far_in_its_direction_and_nowhere_else(seed, action):
    clip = random_clip(seed, 0, action=action)
    (motion,) = clip.motions
    went = (motion.last.x - motion.first.x, motion.last.y - motion.first.y)
    way = DIRECTIONS[clip.direction]
    along, across = (0, 1) if way[0] else (1, 0)
    assert went[along] * way[along] > 0.3
    assert abs(went[across]) < 0.25 * abs(went[along])


@given(st.integers(0, 2**31), st.sampled_from(MOVERS))
@settings(max_examples=80)
def test_what_enters_is_out_before_and_what_leaves_is_out_after(seed, action):
    clip = random_clip(seed, 0, action=action)
    scene, (motion,) = clip.scene, clip.motions

    def shows(t):
        x1, y1, x2, y2 = scene.box(motion.at(t))
        return x2 - x1 > 1e-9 and y2 - y1 > 1e-9

    assert shows(0) == (action != "enter")
    assert shows(clip.duration) == (action != "leave")
    if action != "move":
        t = motion.crossing()
        assert motion.start < t < motion.stop
        assert is_inside(motion.at(t - 0.01)) != is_inside(motion.at(t + 0.01))


@given(st.integers(0, 2**31), st.floats(SHORTEST, LONGEST), st.floats(0.5, 2))
@settings(max_examples=80)
def test_what_passes_is_out_before_and_after_and_all_go_at_one_speed(seed, duration, aspect):
    clip = random_clip(seed, 0, action="pass", duration=duration, aspect=aspect)
    for motion in clip.motions:
        for t in (0, clip.duration):
            x1, _, x2, _ = clip.scene.box(motion.at(t))
            assert x2 - x1 < 1e-9
        assert is_inside(motion.at((motion.start + motion.stop) / 2))
    speeds = [(m.last.x - m.first.x) / (m.stop - m.start) for m in clip.motions]
    assert np.allclose(speeds, speeds[:1] * len(speeds))


@pytest.mark.parametrize("action", [a for a in ACTIONS if a not in ("still", "pass")])
def test_the_pixels_change_where_the_part_is_and_only_then(action):
    """In flat light and without noise, two times before the motion look the same, and before and after do not."""
    clip = random_clip(3, 1, action=action)
    clip = replace(clip, scene=replace(clip.scene, noise=0.0, jpeg=0))
    (motion,) = clip.motions
    before, still_before, after = (np.asarray(frame(clip, t, 160, 120), int) for t in (0, motion.start, clip.duration))
    assert np.array_equal(before, still_before)
    assert (np.abs(after - before).sum(-1) > 30).sum() > 20


def test_noise_is_of_each_time_its_own_and_of_one_time_the_same():
    clip = random_clip(3, 1, action="still")
    clip = replace(clip, scene=replace(clip.scene, noise=5.0))
    first, second, again = (np.asarray(picture) for picture in frames(clip, [0, 0.25, 0], 64, 64))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again)


def test_every_action_and_direction_occurs():
    clips = [random_clip(0, i) for i in range(300)]
    assert {clip.action for clip in clips} == set(ACTIONS)
    assert {clip.direction for clip in clips} == {None, *DIRECTIONS}
    assert {len(clip.motions) for clip in clips if clip.action == "pass"} > {1, 2, 3}
