"""torch tensors as pictures, told by their shape of class rather than by importing torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SourceError


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is a torch tensor."""
    return any(kind.__module__ == "torch" and kind.__name__ == "Tensor" for kind in type(value).__mro__)


def tensor_label(tensor: Any) -> str:
    """``tensor (3x480x640 float32)``."""
    return f"tensor ({'x'.join(map(str, tensor.shape))} {str(tensor.dtype).removeprefix('torch.')})"


def to_array(tensor: Any, label: str) -> np.ndarray:
    """A tensor as ``from_array`` takes it, copied from its device.

    tensor: [C, H, W] as torch's own pictures are, or [H, W] or [H, W, C]; where both would do, channels come first.
    Raises SourceError where it cannot be copied (meta, sparse, quantized).
    """
    try:
        plain = tensor.detach().cpu()
        if str(plain.dtype) in ("torch.bfloat16", "torch.float16"):  # numpy has no bfloat16
            plain = plain.float()
        array = np.asarray(plain.numpy())
    except (RuntimeError, TypeError, NotImplementedError, ValueError) as error:
        raise SourceError(f"{label} has no values that can be copied ({type(error).__name__}).") from error
    if array.ndim == 3 and array.shape[0] in (1, 2, 3, 4) and not (array.shape[0] == 2 and array.shape[2] in (1, 3, 4)):
        return np.moveaxis(array, 0, -1)
    return array
