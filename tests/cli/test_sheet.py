"""Pictures on a sheet."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vi.cli.sheet import contact_sheet


@given(heights=st.lists(st.integers(1, 60), min_size=1, max_size=7), columns=st.integers(1, 3))
def test_every_pixel_of_every_picture_is_on_the_sheet_once(heights, columns):
    colours = [(40 + 20 * index, 0, 0) for index in range(len(heights))]
    pictures = [Image.new("RGB", (30, height), colour) for height, colour in zip(heights, colours, strict=True)]
    pixels = np.asarray(contact_sheet(pictures, columns))
    for height, colour in zip(heights, colours, strict=True):
        assert (pixels == colour).all(axis=-1).sum() == 30 * height
