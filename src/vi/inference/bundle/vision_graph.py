"""A checkpoint's picture encoder as an OpenVINO graph, pixels to features of the language model's width."""

from __future__ import annotations

from typing import Any

import openvino as ov
import torch

from vi.inference.bundle.tracing import traced_graph


def vision_graph(vision: Any) -> ov.Model:
    """The graph of a picture encoder: a module with ``example()``, its inputs by name, and ``free_axes``."""
    example = vision.example()
    model = traced_graph(vision, tuple(example.values()))
    for port, name in zip(model.inputs, example, strict=True):
        port.get_tensor().set_names({name})
        port.get_node().set_friendly_name(name)
    model.outputs[0].get_tensor().set_names({"features"})
    sizes = [_sizes(tensor, vision.free_axes.get(name, tensor.ndim)) for name, tensor in example.items()]
    model.reshape(dict(zip(model.inputs, sizes, strict=True)))
    return model


def _sizes(example: torch.Tensor, num_free: int) -> list[int]:
    return [-1] * num_free + list(example.shape[num_free:])
