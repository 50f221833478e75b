"""How a box's edges are spelt, place by place."""

from __future__ import annotations

import pytest
import torch
from training.workbench.lessons import PLACES, SPELT, spelt


@pytest.mark.parametrize("number", [0, 5, 10, 47, 99, 100, 101, 419])
def test_a_number_is_its_digits_from_the_left_and_then_its_end(number):
    places = spelt(torch.tensor([number]))[0].tolist()
    digits = [int(digit) for digit in str(number)]
    assert places == digits + [SPELT - 1] * (PLACES - len(digits))
