"""Random pictures, and the comparison of ours with transformers' image processors."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from PIL import Image


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng((seed, width, height)).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def pictures(longest: int = 300) -> st.SearchStrategy[Image.Image]:
    """RGB noise from 1 x 1 to very long shapes."""
    side = st.integers(1, longest) | st.integers(1, 12)
    return st.builds(noise, side, side, st.integers(0, 3))


def assert_same_arrays(ours: dict[str, Any], theirs: Any) -> None:
    """The same names, shapes and kinds of numbers; pixels within 1e-5."""
    assert set(ours) == set(theirs)
    for name, expected in theirs.items():
        mine, expected = ours[name], np.asarray(expected)
        if isinstance(mine, np.ndarray):
            assert mine.flags.c_contiguous
            assert mine.dtype == (np.float32 if expected.dtype.kind == "f" else expected.dtype), name
        np.testing.assert_allclose(np.asarray(mine), expected, atol=1e-5, rtol=1e-6, err_msg=name)
