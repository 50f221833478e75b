"""What a model's own probabilities are worth: how well they rank, and whether they mean what they say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def auroc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """Area under the ROC curve: how often a positive case scores above a negative one, ties counting half.

    This is the Mann-Whitney U statistic over the number of such pairs (Hanley and McNeil, Radiology 143, 1982); 0.5
    is chance. Raises ValueError where the cases are all of one kind.
    """
    values, wanted = np.asarray(scores, dtype=np.float64), np.asarray(positive, dtype=bool)
    num_positive, num_negative = int(wanted.sum()), int((~wanted).sum())
    if not num_positive or not num_negative:
        raise ValueError("AUROC needs positive cases and negative ones.")
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # [N], equal values share their mean rank, from 1
    u = ranks[wanted].sum() - num_positive * (num_positive + 1) / 2
    return float(u / (num_positive * num_negative))


def expected_calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """The mean distance between confidence and share right, over bins of equal width weighted by how many they hold.

    Guo et al., On Calibration of Modern Neural Networks (ICML 2017), equation 3, with their 15 bins. confidences: in
    [0, 1], of the answer that was given; right: whether it was. 0 where confidence is what it says.
    """
    values, hit = np.asarray(confidences, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not len(values):
        raise ValueError("Calibration error needs at least one case.")
    place = np.clip(np.ceil(values * bins).astype(int) - 1, 0, bins - 1)  # bin m is ((m - 1) / M, m / M]
    gaps = np.bincount(place, weights=hit - values, minlength=bins)  # [M]: count · (share right - mean confidence)
    return float(np.abs(gaps).sum() / len(values))
