"""Figures and their intervals against scipy's, and rows against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from training.workbench.figures import Figure, difference, figures, ratio, wilson
from training.workbench.outcomes import Outcome


def outcome(row: str, number: int, right: bool, text: str = "", **others) -> Outcome:
    return Outcome(row, number, "?", {}, text, right, **others)


@given(num=st.integers(1, 3000), data=st.data())
def test_the_interval_of_a_share_is_wilsons(num, data):
    right = data.draw(st.integers(0, num))
    expected = binomtest(right, num).proportion_ci(method="wilson")
    assert wilson(right / num, num) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_ratio_is_of_sums_and_its_interval_narrows_with_scenes():
    rng = np.random.default_rng(0)
    some, more = (ratio(rng.random(count), [1] * count) for count in (50, 5000))
    assert ratio([1, 2], [2, 4]).value == 0.5
    for figure in (some, more):
        assert figure.interval[0] < figure.value < figure.interval[1]
    # standard deviation of a uniform number is 12 ** -0.5
    assert more.interval[1] - more.interval[0] == pytest.approx(2 * 1.96 * (12 * 5000) ** -0.5, rel=0.1)
    assert some.interval[1] - some.interval[0] > 5 * (more.interval[1] - more.interval[0])


def test_two_runs_that_are_right_about_the_same_scenes_do_not_differ():
    right = np.random.default_rng(0).random(200) < 0.8
    one, other = ratio(right, [1] * 200), ratio(right, [1] * 200)
    assert difference(one, other) == (0.0, 0.0)
    better = ratio(np.maximum(right, np.arange(200) < 40), [1] * 200)
    low, high = difference(one, better)
    assert 0 < low < better.value - one.value < high
    assert difference(one, ratio(right[:100], [1] * 100)) is None
    assert difference(one, Figure(0.8, 200)) is None


def test_rows_are_shares_of_what_is_right_and_boxes_are_counted_together():
    found = figures(
        [
            *(outcome("count", number, number % 4 > 0) for number in range(40)),
            outcome("grounding", 0, True, overlaps=(0.9, 0.7), told=2, true=2, sure=((0.9, True), (0.8, True))),
            outcome("grounding", 1, False, overlaps=(0.8,), told=2, true=4, sure=((0.7, True), (0.6, False))),
        ]
    )
    assert found["count"].value == 0.75
    assert found["count"].interval == wilson(0.75, 40)
    assert found["grounding_f1"].value == pytest.approx(2 * 3 / 10)
    assert found["grounding_iou"].value == pytest.approx(0.8)
    assert found["box_auroc"].value == 1.0
    assert list(found)[:3] == ["count", "grounding_f1", "grounding_iou"]


def test_the_order_in_which_answers_came_does_not_matter():
    some = [outcome(row, number, number % 3 > 0) for row in ("count", "kind") for number in range(30)]
    assert figures(some) == figures(reversed(some))


def test_half_the_size_stands_beside_the_same_questions_in_full():
    halves = [outcome("count_half_size_jpeg40", n, n < 6) for n in range(8)]
    found = figures([*halves, *(outcome("count", n, n < 7) for n in range(20))])
    assert found["count"].value == 7 / 20
    assert found["half_size_jpeg40"].value == 6 / 8
    assert found["full_size"].value == 7 / 8


def test_sampled_captions_are_counted_by_scene():
    texts = {0: "aab", 1: "abc"}
    found = figures(outcome("sampled", n, text != "a", text) for n, said in texts.items() for text in said)
    assert found["sampled_distinct"].value == 2.5
    assert found["sampled_true"].value == 0.5
    assert found["sampled_distinct"].num == 2


def test_doubt_is_told_of_yes_and_no_alone():
    sure = [outcome("existence", n, True, sure=((1.0, True),)) for n in range(3)]
    assert figures(sure)["yes_no_ece"].value == 0.0
    assert "yes_no_ece" not in figures([outcome("count", 0, True)])
