from __future__ import annotations

import numpy as np
import pytest

from vi.inference.errors import SourceError
from vi.inference.media.image import load_picture
from vi.inference.media.sources import expand
from vi.inference.media.tensors import is_tensor

torch = pytest.importorskip("torch")

GREY = np.arange(30, dtype=np.uint8).reshape(5, 6)
RGB = np.arange(90, dtype=np.uint8).reshape(5, 6, 3)


def load(tensor) -> np.ndarray:
    (item,) = expand(tensor).items
    assert item.kind == "array"
    return np.asarray(load_picture(item).pixels)


def test_channels_first_or_last_are_the_same_picture():
    expected = RGB.tolist()
    assert load(torch.from_numpy(RGB)).tolist() == expected
    assert load(torch.from_numpy(RGB).permute(2, 0, 1)).tolist() == expected
    assert load(torch.from_numpy(GREY))[:, :, 0].tolist() == GREY.tolist()
    assert load(torch.from_numpy(GREY)[None])[:, :, 2].tolist() == GREY.tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_floats_from_0_to_1_fill_the_range(dtype):
    ramp = torch.linspace(0, 1, 30).reshape(1, 5, 6).expand(3, -1, -1).to(dtype)
    expected = np.rint(ramp.float().numpy() * 255).astype(int)
    assert np.abs(load(ramp).transpose(2, 0, 1).astype(int) - expected).max() <= (1 if dtype == torch.float64 else 0)


def test_a_tensor_that_is_being_trained_is_a_picture_too():
    assert load(torch.nn.Parameter(torch.zeros(3, 4, 5))).shape == (4, 5, 3)


@pytest.mark.parametrize(
    "tensor", [torch.zeros(2, 3, 4, 5), torch.zeros(3, 4, 5, device="meta"), torch.full((3, 4, 4), 9.0)]
)
def test_what_is_no_picture_says_so(tensor):
    with pytest.raises(SourceError, match=r"tensor \("):
        load(tensor)


def test_other_values_are_no_tensors():
    assert not any(map(is_tensor, (GREY, [1], "tensor", None, torch.float32)))
