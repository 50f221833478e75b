"""Weights that a graph reads from another file."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op
from safetensors.numpy import save_file

from vi.inference.bundle.constants import fill_constants, share_constants, stored_tensors

RNG = np.random.default_rng(0)
WEIGHTS = {
    "a": RNG.normal(size=(24, 16)).astype(np.float16),
    "b": RNG.normal(size=(16, 24)).astype(np.float32),
    "small": np.ones(4, np.float32),
}


@pytest.fixture
def stored(tmp_path):
    save_file(WEIGHTS, tmp_path / "model.safetensors")
    return stored_tensors(tmp_path / "model.safetensors")


@pytest.fixture
def graph():
    """x [T, 16] -> x · aᵀ · bᵀ, a stored in float16."""
    x = op.parameter([-1, 16], ov.Type.f32, name="x")
    a = op.convert(op.constant(WEIGHTS["a"]), "f32")
    product = op.matmul(op.matmul(x, a, False, True), op.constant(WEIGHTS["b"]), False, True)
    return ov.Model([product], [x], "product")


def test_every_tensor_of_the_file_is_found_where_it_lies(stored):
    found = sorted(bytes(tensor.data()) for tensor in stored)
    assert found == sorted(array.tobytes() for array in WEIGHTS.values())


def test_a_graph_without_its_weights_gives_the_same_numbers_with_them_back(graph, stored, tmp_path):
    x = RNG.normal(size=(5, 16)).astype(np.float32)
    core = ov.Core()
    before = core.compile_model(graph, "CPU")(x)[0]
    assert share_constants(graph, stored) == {"model.safetensors"}
    ov.save_model(graph, tmp_path / "graph.xml", compress_to_fp16=False)
    assert (tmp_path / "graph.bin").stat().st_size < 100
    again = core.read_model(tmp_path / "graph.xml")
    assert len(again.get_parameters()) == 3
    fill_constants(again, tmp_path)
    assert len(again.get_parameters()) == 1
    np.testing.assert_array_equal(core.compile_model(again, "CPU")(x)[0], before)


def test_a_tensor_may_be_used_twice_and_in_another_shape(stored, tmp_path):
    x = op.parameter([-1, 16], ov.Type.f32, name="x")
    flat = op.matmul(x, op.constant(WEIGHTS["b"].reshape(24, 16)), False, True)
    graph = ov.Model([op.matmul(flat, op.constant(WEIGHTS["b"]), False, True)], [x], "twice")
    values, core = RNG.normal(size=(5, 16)).astype(np.float32), ov.Core()
    before = core.compile_model(graph, "CPU")(values)[0]
    share_constants(graph, stored)
    ov.save_model(graph, tmp_path / "graph.xml", compress_to_fp16=False)
    again = core.read_model(tmp_path / "graph.xml")
    fill_constants(again, tmp_path)
    np.testing.assert_array_equal(core.compile_model(again, "CPU")(values)[0], before)


@pytest.mark.parametrize("name", ["../model.safetensors@8@0", "model.safetensors@100000@0"])
def test_weights_are_read_from_within_the_folder_and_the_file(stored, tmp_path, name):
    place = op.parameter([24, 16], ov.Type.f16, name=name)
    with pytest.raises(ValueError):
        fill_constants(ov.Model([op.convert(place, "f32")], [place], "wrong"), tmp_path)


def test_a_constant_that_no_file_has_stays(graph, tmp_path):
    save_file({"other": RNG.normal(size=(24, 16)).astype(np.float16)}, tmp_path / "other.safetensors")
    assert share_constants(graph, stored_tensors(tmp_path / "other.safetensors")) == set()
    assert len(graph.get_parameters()) == 1
