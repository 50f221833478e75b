"""What a clip's cells are to know, and where its words should look: at the parts, by what these have done so far."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training.workbench.clip_looks import ClipGaze
from training.workbench.clip_targets import DONE, WAYS, Shots, cell_at, clip_dense_targets, motion_targets, spots
from training.workbench.clips import ACTIONS, is_inside, random_clip

GRID = (5, 5)
SHOTS = Shots(3.0, 4.0)
ENDS = {
    "move": "moved", "enter": "entered", "leave": "left", "turn": "turned", "damage": "got a defect",
}  # fmt: skip


def told(clip):
    """(patches of time, cells, 3)"""
    return motion_targets(clip, SHOTS, GRID).reshape(len(SHOTS.pairs), -1, 3)


@given(st.integers(0, 2**31), st.sampled_from(list(ENDS)))
@settings(max_examples=60)
def test_the_last_patch_tells_what_was_done_and_which_way(seed, action):
    clip = random_clip(seed, 0, action=action, aspect=1.0, duration=SHOTS.duration)
    (motion,) = clip.motions
    done, way, number = told(clip)[-1][cell_at(motion.at(SHOTS.middles[-1]), GRID)]
    if motion.stop < SHOTS.middles[-1]:
        assert DONE[done] == ENDS[action]
    assert number < 0
    if DONE[done] in ("moved", "entered", "left"):
        assert WAYS[way] == clip.direction


@given(st.integers(0, 2**31), st.sampled_from(["move", "turn", "damage", "leave"]))
@settings(max_examples=60)
def test_no_patch_tells_what_comes_after_it(seed, action):
    """Until its motion starts, a part lies still."""
    clip = random_clip(seed, 0, action=action, aspect=1.0, duration=SHOTS.duration)
    (motion,) = clip.motions
    for row, t, (_, until) in zip(told(clip), SHOTS.middles, SHOTS.pairs, strict=True):
        if until <= motion.start:
            assert DONE[row[cell_at(motion.at(t), GRID)][0]] == "lain still"


def test_what_passes_is_numbered():
    for index in range(20):
        clip = random_clip(4, index, action="pass", aspect=1.0, duration=SHOTS.duration)
        numbers = told(clip)[..., 2]
        assert set(numbers[numbers >= 0].tolist()) <= set(range(len(clip.motions)))
        assert numbers.max() == len(clip.motions) - 1 or not clip.motions


@pytest.mark.parametrize("action", ACTIONS)
def test_spots_hold_the_part_where_it_is_in_the_picture(action):
    clip = random_clip(6, 2, action=action, aspect=1.0, duration=SHOTS.duration)
    for part in clip.parts:
        for spot in spots(clip, part, SHOTS, GRID):
            number, cell = divmod(spot, GRID[0] * GRID[1])
            motion = next((m for m in clip.motions if m.last is part), None)
            state = part if motion is None else motion.at(SHOTS.middles[number])
            assert cell == cell_at(state, GRID)
            assert is_inside(state) or (action == "leave" and number == len(SHOTS.pairs) - 1)


def test_a_word_for_a_part_looks_where_it_is_and_the_answer_at_what_is_asked_about():
    clip = random_clip(6, 0, action="move", aspect=1.0, duration=SHOTS.duration)
    still = tuple(replace(part, kind="nut", colour="red") for part in clip.scene.parts[:1])
    (motion,) = clip.motions
    first, last = (replace(part, kind="gear", colour="blue") for part in motion[:2])
    clip = replace(clip, scene=replace(clip.scene, parts=still), motions=(motion._replace(first=first, last=last),))
    gaze = ClipGaze(clip, SHOTS, GRID)
    prompt, answer = "Does the red nut move?", "No, the red nut lies still."
    words = [(0, 4), (4, 8), (9, 12), (13, 16), (17, 22)]
    looks = gaze.of_prompt(prompt, words)
    assert sorted(np.flatnonzero(looks[3])) == spots(clip, still[0], SHOTS, GRID)
    assert not looks[[0, 1, 2, 4]].any()
    assert sorted(np.flatnonzero(gaze.of_answer(prompt, answer, [(0, 2)])[0])) == spots(clip, still[0], SHOTS, GRID)
    moving = np.flatnonzero(gaze.of_answer("What moves?", "The blue gear.", [(0, 3), (4, 13)]).any(0))
    assert sorted(moving) == spots(clip, last, SHOTS, GRID)


@pytest.mark.parametrize("action", ACTIONS)
def test_dense_targets_cover_every_temporal_patch(action):
    clip = random_clip(1, 1, action=action, aspect=1.0, duration=SHOTS.duration)
    (patches, _), (cells, boxes) = clip_dense_targets(clip, SHOTS, GRID)
    assert len(cells) == len(boxes) == len(SHOTS.pairs) * 25
    assert len(patches) == 4 * len(cells)
    for number, t in enumerate(SHOTS.middles):
        named = (cells[25 * number : 25 * (number + 1), 0] >= 0).sum()
        assert named <= sum(is_inside(part) for part in clip.at(t).parts)
