"""Which device and number format a model runs in, and whether it fits there."""

from __future__ import annotations

import os
import platform
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Any

from vi.inference.errors import LoadError, did_you_mean
from vi.inference.runs.record import precision_name

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "bfloat16", "float16")
BFLOAT16_FROM = 1_000_000_000  # parameters; below, float32 on a CPU costs little memory and decodes faster


def may_have_accelerator() -> bool:
    """Whether it is worth importing torch, which takes seconds, to look for an accelerator."""
    if find_spec("torch") is None:
        return False
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists() or which("nvidia-smi") is not None


def available_devices() -> list[str]:
    """Names of the devices that torch can use here, the fastest first; ``cpu`` is always last."""
    import torch

    devices = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        devices.append("mps")
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        devices += [f"xpu:{index}" for index in range(torch.xpu.device_count())]
    return [*devices, "cpu"]


def choose_device(device: str | torch.device) -> torch.device:
    """``auto`` is the fastest one there is. Raises LoadError with the devices there are."""
    import torch

    there = available_devices()
    if device == "auto":
        return torch.device(there[0])
    hint = f"{did_you_mean(str(device), ['auto', *there])} There is: {', '.join(there)} (or auto).".strip()
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError):
        raise LoadError(f"device={device!r} is not a device.", hint) from None
    for known in map(torch.device, there):
        if known.type == chosen.type and chosen.index in (None, known.index or 0):
            return known if chosen.type == "cpu" else chosen
    raise LoadError(f"device={str(device)!r} is not on this machine.", hint)


def choose_dtype(dtype: str | torch.dtype, device: torch.device, *, stored: Any, parameters: int) -> torch.dtype:
    """The number format to run in.

    dtype: ``auto`` or a format's name. stored: the checkpoint's own. parameters: their count.
    ``auto`` keeps the checkpoint's format on accelerators. On a CPU it is float32 below a billion parameters; from
    there on it is bfloat16 where the CPU computes in it and the checkpoint is not float32.
    Raises LoadError for an unknown format and for one the device lacks.
    """
    import torch

    name = precision_name(str(stored)) if stored is not None else ""
    own = getattr(torch, name) if name in DTYPES else None
    if dtype != "auto":
        return _named_dtype(dtype, device)
    if device.type == "cpu":
        half = parameters >= BFLOAT16_FROM and own is not None and own != torch.float32 and _cpu_has_bfloat16()
        return torch.bfloat16 if half else torch.float32
    if own == torch.bfloat16 and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        return torch.float16
    return own or torch.float32


def _named_dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype:
    import torch

    name = precision_name(str(dtype))
    if name not in DTYPES:
        hint = f"{did_you_mean(name, DTYPES)} It takes auto, {', '.join(DTYPES)}.".strip()
        raise LoadError(f"dtype={str(dtype)!r} is not a format to run in.", hint)
    if name == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise LoadError(f"{device} does not compute in bfloat16.", "It takes float16 or float32.")
    return getattr(torch, name)


def _cpu_has_bfloat16() -> bool:
    import torch

    return torch.backends.mkldnn.is_available() and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be allocated on ``device``, or None where the system does not tell."""
    if device.type == "cuda":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    if device.type != "cpu":
        return None
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def require_memory(device: torch.device, dtype: torch.dtype, parameters: int) -> None:
    """Raise LoadError where the weights alone exceed the device's free memory: better than a process that dies."""
    needed, free = parameters * dtype.itemsize, free_memory(device)
    if free is not None and needed > free:
        message = f"The weights need {needed / 1e9:.1f} GB as {str(dtype).removeprefix('torch.')}; "
        message += f"{device} has {free / 1e9:.1f} GB free."
        smaller = "dtype='bfloat16', " if dtype.itemsize == 4 else ""
        raise LoadError(message, f"Try {smaller}a smaller model, another device= or device_map='auto'.")
