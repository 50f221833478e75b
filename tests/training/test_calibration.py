import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu
from training.workbench.calibration import auroc, expected_calibration_error

CASES = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=2, max_size=40)


@given(cases=CASES)
def test_auroc_is_the_u_statistic_over_the_number_of_pairs(cases):
    scores, positive = (np.array(each) for each in zip(*cases, strict=True))
    if len(set(positive.tolist())) < 2:
        with pytest.raises(ValueError, match="positive cases and negative"):
            auroc(scores, positive)
        return
    u = mannwhitneyu(scores[positive], scores[~positive]).statistic
    assert math.isclose(auroc(scores, positive), u / (positive.sum() * (~positive).sum()))


def test_auroc_of_perfect_and_of_inverted_ranks():
    assert auroc([0.9, 0.8, 0.2], [True, True, False]) == 1.0
    assert auroc([0.9, 0.8, 0.2], [False, False, True]) == 0.0
    assert auroc([0.5, 0.5], [True, False]) == 0.5


def test_calibration_error_by_hand():
    # two bins: 4 cases said with 0.9 of which 3 are right, 2 said with 0.6 of which 2 are
    confidences, right = [0.9] * 4 + [0.6] * 2, [True, True, True, False, True, True]
    assert expected_calibration_error(confidences, right) == pytest.approx((4 * 0.15 + 2 * 0.4) / 6)


@given(cases=CASES)
def test_calibration_error_is_between_nothing_and_one(cases):
    confidences, right = zip(*cases, strict=True)
    assert 0.0 <= expected_calibration_error(confidences, right) <= 1.0


def test_certain_and_right_is_calibrated():
    assert expected_calibration_error([1.0, 1.0, 0.0], [True, True, False]) == 0.0
