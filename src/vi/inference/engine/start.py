"""Which engine suits a loaded model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vi.inference.engine.base import Engine
from vi.inference.engine.batching import BatchingEngine
from vi.inference.engine.serial import SerialEngine
from vi.inference.engine.settings import EngineSettings
from vi.inference.engine.vocabulary import Vocabulary
from vi.inference.errors import ConfigError

if TYPE_CHECKING:
    from vi.inference.bundle.layout import Bundle
    from vi.inference.engine.runners.base import PagedRunner
    from vi.inference.loading.loaded import LoadedModel, TorchWeights

ACCELERATOR_SHARE = 0.7  # of the free memory; the rest is for the work of a step and for pictures
CPU_SHARE, CPU_MOST = 0.25, 4 << 30  # the system takes what is written to, not what is asked for


def start_engine(loaded: LoadedModel, settings: EngineSettings | None = None) -> Engine:
    """A batching engine, or for a model that cannot be paged one that answers requests one at a time.

    Raises InferenceError or LoadError where the device has no memory for the cache, ConfigError where ``cache_bytes``
    has no room for a block.
    """
    from vi.inference.bundle.layout import Bundle

    settings = settings or EngineSettings()
    if isinstance(loaded.weights, Bundle):
        return BatchingEngine(_openvino_runner(loaded.weights, settings), Vocabulary(loaded), settings)
    from vi.inference.preprocess.families import get_family

    spread = len(set(getattr(loaded.weights.model, "hf_device_map", {}).values())) > 1  # the cache lies on one device
    if not spread and not get_family(loaded.family).why_plain(loaded.config):
        return BatchingEngine(_torch_runner(loaded.weights, settings), Vocabulary(loaded), settings)
    from vi.inference.engine.runners.plain_runner import PlainTorchRunner

    return SerialEngine(PlainTorchRunner(loaded), Vocabulary(loaded))


def _openvino_runner(bundle: Bundle, settings: EngineSettings) -> PagedRunner:
    from vi.inference.engine.runners.openvino_runner import OpenVinoRunner

    return OpenVinoRunner(
        bundle, precision=settings.precision, cache_bytes=settings.cache_bytes, threads=settings.threads
    )


def _torch_runner(weights: TorchWeights, settings: EngineSettings) -> PagedRunner:
    from vi.inference.engine.runners.torch_runner import PagedTorchRunner, block_bytes

    one = block_bytes(weights.config, weights.dtype)
    cache_bytes = settings.cache_bytes or _share(weights)
    if cache_bytes < one:
        raise ConfigError(f"cache_bytes={cache_bytes:,} has no room for a block of {one:,} bytes.", "Raise it.")
    return PagedTorchRunner(weights.model, weights.config, weights.device, weights.dtype, num_blocks=cache_bytes // one)


def _share(weights: TorchWeights) -> int:
    """Bytes for the cache where nobody says how many."""
    from vi.inference.loading.device import free_memory

    free = free_memory(weights.device)
    if weights.device.type != "cpu":
        return int((free or CPU_MOST) * ACCELERATOR_SHARE)
    return int(min((free or CPU_MOST) * CPU_SHARE, CPU_MOST))
