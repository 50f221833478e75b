"""Devices, number formats and memory: chosen by rule, refused with what is there."""

from __future__ import annotations

import pytest
import torch

from vi.inference.errors import LoadError
from vi.inference.loading.device import available_devices, choose_device, choose_dtype, free_memory, require_memory

CPU, GPU = torch.device("cpu"), torch.device("mps")
BILLION = 1_000_000_000


def test_the_cpu_is_always_there_and_auto_is_the_first():
    assert available_devices()[-1] == "cpu"
    assert choose_device("auto") == torch.device(available_devices()[0])
    assert choose_device("cpu") == choose_device(torch.device("cpu")) == CPU


@pytest.mark.parametrize("device", ["cuda:93", "xpu:93", "meta", "gpu", "", "CPU!"])
def test_a_device_that_is_not_there_names_those_that_are(device):
    with pytest.raises(LoadError, match=r"There is: .*cpu \(or auto\)"):
        choose_device(device)


@pytest.mark.parametrize(
    ("device", "stored", "parameters", "chosen"),
    [
        (CPU, torch.bfloat16, 8_000_000, torch.float32),
        (CPU, "float16", 8_000_000, torch.float32),
        (CPU, torch.float32, 7 * BILLION, torch.float32),
        (CPU, None, 7 * BILLION, torch.float32),
        (GPU, torch.bfloat16, 8_000_000, torch.bfloat16),
        (GPU, "float16", 7 * BILLION, torch.float16),
        (GPU, None, 7 * BILLION, torch.float32),
    ],
)
def test_auto_chooses_a_format(device, stored, parameters, chosen):
    assert choose_dtype("auto", device, stored=stored, parameters=parameters) == chosen


def test_a_large_checkpoint_stays_half_as_large_where_the_cpu_can():
    chosen = choose_dtype("auto", CPU, stored="bfloat16", parameters=7 * BILLION)
    can = torch.ops.mkldnn._is_mkldnn_bf16_supported() if torch.backends.mkldnn.is_available() else False
    assert chosen == (torch.bfloat16 if can else torch.float32)


@pytest.mark.parametrize("dtype", ["bf16", "bfloat16", "torch.bfloat16", torch.bfloat16])
def test_a_format_has_many_spellings(dtype):
    assert choose_dtype(dtype, CPU, stored=None, parameters=1) == torch.bfloat16


@pytest.mark.parametrize("dtype", ["floot32", "int8", torch.int8])
def test_an_unknown_format_names_those_there_are(dtype):
    with pytest.raises(LoadError, match="It takes auto, float32, bfloat16, float16"):
        choose_dtype(dtype, CPU, stored=None, parameters=1)


def test_weights_larger_than_the_memory_are_refused_before_they_are_read():
    free = free_memory(CPU)
    if free is None:
        pytest.skip("this system does not tell its free memory")
    require_memory(CPU, torch.float32, 1000)
    with pytest.raises(LoadError, match=r"need .* GB as float32; cpu has .* GB free.*dtype='bfloat16'"):
        require_memory(CPU, torch.float32, 10**15)
