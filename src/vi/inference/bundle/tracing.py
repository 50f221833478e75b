"""A torch module as an OpenVINO graph."""

from __future__ import annotations

import warnings

import openvino as ov
import torch


def traced_graph(module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> ov.Model:
    """The graph of what ``module`` does with ``example``; sizes that it reads from shapes stay dynamic."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, about sizes that are the model's own and do not vary
        traced = torch.jit.trace(module.eval(), example, strict=False, check_trace=False)
        return ov.convert_model(traced, example_input=example)
