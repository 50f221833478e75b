"""The weights of a graph in fewer bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import openvino as ov
from openvino._offline_transformations import compress_model_transformation

from vi.inference.bundle.layout import Weights
from vi.inference.errors import LoadError

GROUP_SIZES = (128, 64, 32)  # 4-bit weights that share a scale: the most that divides every layer's width


def compress(graph: ov.Model, weights: Weights) -> ov.Model:
    """``graph`` with its weights in f16, int8 (one scale a row) or int4 (one a group); f32 leaves it as it is.

    int4 keeps the first and the last layer at 8 bits, as NNCF chooses. Raises LoadError without NNCF.
    """
    if weights == "f32":
        return graph
    if weights != "f16":
        graph = _quantised(graph, weights)
    compress_model_transformation(graph)
    return graph


def _quantised(graph: ov.Model, weights: Weights) -> ov.Model:
    try:
        import nncf
    except ImportError as error:
        raise LoadError(
            f"weights={weights!r} needs NNCF.", "Install it: pip install 'vi-inference[compress]'."
        ) from error
    nncf.set_log_level("ERROR")
    modes = nncf.CompressWeightsMode
    options = {"int8": {"mode": modes.INT8_SYM}, "int4": {"mode": modes.INT4_SYM, "group_size": _group_size(graph)}}
    with _no_bars():
        return nncf.compress_weights(graph, **options[weights])


@contextmanager
def _no_bars() -> Iterator[None]:
    """NNCF draws bars on standard output, by rich's own console and whether anybody looks or not."""
    import rich

    console = rich.get_console()
    before, console.quiet = console.quiet, True
    try:
        yield
    finally:
        console.quiet = before


def _group_size(graph: ov.Model) -> int:
    widths = [
        node.input(1).get_shape()[-1]
        for node in graph.get_ops()
        if node.get_type_name() == "MatMul" and node.input_value(1).get_node().get_type_name() == "Constant"
    ]
    return next((size for size in GROUP_SIZES if all(width % size == 0 for width in widths)), -1)
