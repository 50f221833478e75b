"""Weights of a graph that are read from another file: a checkpoint's own, or the embedding table.

A large constant whose bytes are a tensor of such a file is stored as an input named by the file and the offset, with
its type and shape. So a graph beside the checkpoint it was made from adds only its structure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as op

from vi.inference.runs.weights import read_header

SMALL = 256  # bytes; what is smaller stays in the graph's own file


@dataclass(frozen=True)
class StoredTensor:
    """``size`` bytes from ``offset`` of ``path``."""

    path: Path
    offset: int
    size: int

    def data(self) -> np.ndarray:
        return np.memmap(self.path, np.uint8, mode="r", offset=self.offset, shape=(self.size,))

    def holds(self, array: np.ndarray) -> bool:
        return self.size == array.nbytes and _digest(self.data()) == _digest(array)


def stored_tensors(path: Path) -> list[StoredTensor]:
    """Every tensor of a safetensors file that is not empty."""
    spans = [entry["data_offsets"] for entry in read_header(path).values()]
    start = path.stat().st_size - max((end for _, end in spans), default=0)  # of the data: they fill the file's end
    return [StoredTensor(path, start + begin, end - begin) for begin, end in spans if end > begin]


def share_constants(model: ov.Model, tensors: Iterable[StoredTensor]) -> set[str]:
    """Take every constant of ``model`` that is one of ``tensors`` out of it. Returns the names of the files used."""
    by_content = {_digest(tensor.data()): tensor for tensor in tensors if tensor.size >= SMALL}
    sizes = {tensor.size for tensor in by_content.values()}
    places: list[ov.Node] = []
    used = set()
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant" or node.get_byte_size() not in sizes:
            continue
        kind = node.get_output_element_type(0)
        tensor = by_content.get(_digest(node.data)) if kind in (ov.Type.f16, ov.Type.f32) else None
        if tensor is None:
            continue
        name = f"{tensor.path.name}@{tensor.offset}@{len(places)}"  # the last for a tensor that is used twice
        place = op.parameter(list(node.get_output_shape(0)), kind, name=name)
        for user in node.output(0).get_target_inputs():
            user.replace_source_output(place.output(0))
        places.append(place)
        used.add(tensor.path.name)
    model.add_parameters(places)
    model.validate_nodes_and_infer_types()
    return used


def fill_constants(model: ov.Model, folder: Path) -> None:
    """Put back what ``share_constants`` took out, mapped from the files in ``folder``.

    Raises ValueError for a file that lies elsewhere or is too short.
    """
    contents: dict[str, np.ndarray] = {}
    for place in [node for node in model.get_parameters() if "@" in node.get_friendly_name()]:
        name, offset, _ = place.get_friendly_name().rsplit("@", 2)
        if Path(name).name != name:
            raise ValueError(f"{name} is not in the bundle")
        if name not in contents:  # mode c: OpenVINO takes only what could be written; a write would stay in memory
            contents[name] = np.memmap(folder / name, np.uint8, mode="c")
        shape, dtype = tuple(place.get_output_shape(0)), np.dtype(place.get_output_element_type(0).to_dtype())
        start = int(offset)
        data = contents[name][start : start + prod(shape) * dtype.itemsize].view(dtype).reshape(shape)
        constant = op.constant(data, shared_memory=True)
        for user in place.output(0).get_target_inputs():
            user.replace_source_output(constant.output(0))
        model.remove_parameter(place)


def _digest(data: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(data).data).digest()
