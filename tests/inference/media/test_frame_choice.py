from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.media.films import pick

from vi.inference.media.frame_choice import choose_frames

GAPS = st.lists(st.integers(0, 3000), min_size=1, max_size=40)  # milliseconds; the last is how long the last one stays
RATES = st.sampled_from([Fraction(1, 7), Fraction(1), Fraction(2), Fraction(4), Fraction(25), Fraction(30000, 1001)])


def timeline(gaps: list[int]) -> tuple[list[Fraction], Fraction]:
    ends = [Fraction(int(end), 1000) for end in np.cumsum(gaps)]
    return [Fraction(0), *ends[:-1]], max(ends[-1], Fraction(1, 100))


@given(gaps=GAPS, fps=RATES)
def test_frames_are_those_on_screen_at_each_instant(gaps, fps):
    times, duration = timeline(gaps)
    chosen = choose_frames([float(time) for time in times], float(duration), float(fps), len(times))
    assert chosen.tolist() == pick(times, duration, fps)


@given(gaps=GAPS, fps=st.floats(1e-6, 1e12), most=st.integers(1, 50))
def test_frames_rise_stay_within_the_limit_and_are_never_none(gaps, fps, most):
    times, duration = timeline(gaps)
    chosen = choose_frames([float(time) for time in times], float(duration), fps, most)
    assert 1 <= len(chosen) <= most
    assert (np.diff(chosen) > 0).all()
    assert 0 <= chosen[0] <= chosen[-1] < len(times)


@given(count=st.integers(2, 300), most=st.integers(1, 299))
def test_a_limit_spreads_frames_evenly_over_the_whole_clip(count, most):
    times = np.arange(count) / 10
    chosen = choose_frames(times, count / 10, 10.0, most)
    assert len(chosen) == min(count, most)
    assert chosen[0] == 0
    gaps = np.diff([*chosen, count])
    assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("fps", [24000 / 1001, 24.0, 25.0, 30000 / 1001, 60.0])
@pytest.mark.parametrize("round_to", [1e-3, 1 / 90000, 1e-6])
def test_a_clip_looked_at_at_its_own_rate_gives_every_frame_however_its_times_are_rounded(fps, round_to):
    for rounding in (np.round, np.floor):
        times = rounding(np.arange(5000) / fps / round_to) * round_to
        assert choose_frames(times, 5000 / fps, fps, 5000).tolist() == list(range(5000))


def test_of_frames_shown_at_the_same_time_the_last_is_seen():
    assert choose_frames([0, 0, 1, 1, 1], 2.0, 1.0, 10).tolist() == [1, 4]


def test_a_frame_that_stays_is_taken_once():
    assert choose_frames([0.0, 5.0], 10.0, 4.0, 100).tolist() == [0, 1]
