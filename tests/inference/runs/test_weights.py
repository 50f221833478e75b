"""Weight files and their headers, against safetensors itself."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from vi.inference.errors import LoadError
from vi.inference.runs.weights import find_weights, read_header


def test_a_header_says_what_safetensors_says(tiny_checkpoint):
    path = tiny_checkpoint / "model.safetensors"
    header = read_header(path)
    with safe_open(path, framework="np") as file:
        assert set(header) == set(file.keys())
        for name in file.keys():  # noqa: SIM118 - not a dict
            assert header[name]["shape"] == file.get_slice(name).get_shape()


def test_the_parameters_of_shards_add_up(tmp_path):
    save_file({"a": np.zeros((3, 4), np.float32)}, tmp_path / "model-1.safetensors")
    save_file({"b": np.zeros(5, np.float16)}, tmp_path / "model-2.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    weights = find_weights(tmp_path)
    assert weights.parameter_count() == 17
    assert weights.size_bytes == sum(path.stat().st_size for path in tmp_path.glob("*.safetensors"))
    (tmp_path / "model-2.safetensors").unlink()
    assert find_weights(tmp_path).missing == ("model-2.safetensors",)


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_cut_off_file_is_an_error(tiny_checkpoint, tmp_path, keep):
    cut = tmp_path / "model.safetensors"
    cut.write_bytes((tiny_checkpoint / "model.safetensors").read_bytes()[:keep])
    with pytest.raises(LoadError, match=r"model\.safetensors"):
        read_header(cut)


@pytest.mark.parametrize("content", [b"not tensors, but long enough to look at", b"\x02" + bytes(7) + b"[]" + bytes(9)])
def test_another_kind_of_file_is_an_error(tmp_path, content):
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(LoadError):
        read_header(tmp_path / "model.safetensors")


@pytest.mark.parametrize("text", ["{", "{}", '{"weight_map": [1]}', '{"weight_map": {"a": "../x.safetensors"}}'])
def test_a_broken_index_is_an_error(tmp_path, text):
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with pytest.raises(LoadError):
        find_weights(tmp_path)
