"""An input of an OpenVINO request that keeps its memory from call to call."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import openvino as ov

SPARE = 1 << 16  # elements that a growing input takes beyond its need; a clip's pixels are not taken twice


class GraphInput:
    """Written in place while the shape stays as it is; only another shape makes a tensor, over the same memory."""

    def __init__(self, request: ov.InferRequest, index: int, dtype: Any) -> None:
        self._request, self._index = request, index
        self._memory = np.empty(1, dtype)
        self._view: np.ndarray | None = None

    def view(self, shape: tuple[int, ...]) -> np.ndarray:
        """The input's memory in this shape, to be written; what is in it is what was last written there."""
        if self._view is None or self._view.shape != shape:
            size = prod(shape)
            if size > self._memory.size:
                self._memory = np.empty(size + min(size, SPARE), self._memory.dtype)
            self._view = self._memory[:size].reshape(shape)
            self._request.set_input_tensor(self._index, ov.Tensor(self._view, shared_memory=True))
        return self._view

    def write(self, values: np.ndarray) -> None:
        self.view(values.shape)[...] = values


def graph_inputs(compiled: ov.CompiledModel, request: ov.InferRequest) -> dict[str, GraphInput]:
    """Every input of static type by its name, except the caches, whose memory is the request's own."""
    return {
        port.get_any_name(): GraphInput(request, index, port.get_element_type().to_dtype())
        for index, port in enumerate(compiled.inputs)
        if "_cache." not in port.get_any_name()
    }
