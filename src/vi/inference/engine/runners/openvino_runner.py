"""Runs a bundle on CPUs with OpenVINO's paged attention: neither torch nor transformers is imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino as ov

from vi.inference.bundle.constants import fill_constants
from vi.inference.bundle.layout import Bundle, BundleFacts
from vi.inference.bundle.paged_graph import make_paged
from vi.inference.engine.batch import Batch
from vi.inference.engine.runners.graph_input import graph_inputs
from vi.inference.engine.runners.padding import SteadyLength, padded
from vi.inference.engine.runners.picture_inputs import picture_inputs
from vi.inference.engine.runners.tile_planes import join_planes
from vi.inference.errors import InferenceError, LoadError

BLOCK_SIZE = 32  # tokens; the CPU operator's only size
SMALL = 32 << 20  # weights of a language part whose steps a second thread makes no quicker
CACHE_SHARE, CACHE_MOST = 4, 2 << 30  # a quarter of the free memory, at most 2 GiB, unless it is said
KERNELS = 1000  # kept for shapes that were met; OpenVINO's own 5000 grow by hundreds of megabytes
HINT = "Use a smaller picture, a shorter prompt or fewer requests at once."


@lru_cache(maxsize=1)
def the_core() -> ov.Core:
    """The one Core of this process.

    The CPU plugin gives the thread that creates it a signal stack of its own, and unmaps it, still in use, when its
    Core goes: the next signal, such as Ctrl-C, would crash the process. So it never goes.
    """
    return ov.Core()


class OpenVinoRunner:
    """One model on the CPU; see ``PagedRunner`` for the contract.

    precision: ``exact`` computes and caches in float32; ``fast`` in bfloat16 where the CPU has it (``precision`` then
    says which it became). cache_bytes: for keys and values. threads: of a forward call; unless said one a core, or of a
    small model half of them, so that pictures are encoded by the other half meanwhile.
    Raises LoadError where the graphs cannot be compiled or the cache has no room for one block.
    """

    block_size = BLOCK_SIZE

    def __init__(
        self,
        bundle: Bundle,
        *,
        precision: Literal["exact", "fast"] = "exact",
        cache_bytes: int | None = None,
        threads: int | None = None,
    ) -> None:
        self._facts = bundle.facts
        self._table = np.asarray(bundle.table())  # mapped, without what memmap adds to every slice
        self._length = SteadyLength(bundle.facts.hidden_size)
        core = the_core()
        has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = precision if precision == "exact" or has_bf16 else "exact"
        threads = threads or _threads(bundle.facts)
        self.encodes_beside = 2 * threads <= num_cores()
        options = _options("bf16" if self.precision == "fast" else "f32", threads)
        with ThreadPoolExecutor(1) as pool:  # the two compile side by side
            vision = pool.submit(_compile, core, bundle, "vision", options)
            language = _compile(core, bundle, "language", options)
            self._vision = vision.result().create_infer_request()
        self._language = language.create_infer_request()
        self._vision_inputs = graph_inputs(vision.result(), self._vision)
        self._inputs = graph_inputs(language, self._language)
        self.block_bytes, self.num_blocks = 0, 0
        self._caches: list[np.ndarray] = []  # views
        self._make_cache(language, cache_bytes or min(_free_memory() // CACHE_SHARE, CACHE_MOST))

    def _make_cache(self, language: ov.CompiledModel, cache_bytes: int) -> None:
        """A key and a value tensor a layer, [blocks, heads, block size, head_dim]; memory is taken as it is used.

        The last block is the padding's.
        """
        ports = [port for port in language.inputs if "_cache." in port.get_any_name()]
        blocks = [[size.get_length() for size in list(port.get_partial_shape())[1:]] for port in ports]
        self.block_bytes = sum(
            prod(block) * port.get_element_type().size for port, block in zip(ports, blocks, strict=True)
        )
        self.num_blocks = cache_bytes // self.block_bytes
        if self.num_blocks < 1:
            message = f"A cache of {cache_bytes:,} bytes has no room for a block of {self.block_bytes:,} bytes."
            raise LoadError(message, "Raise cache_bytes, or free memory.")
        for port, block in zip(ports, blocks, strict=True):
            tensor = ov.Tensor(port.get_element_type(), [self.num_blocks + 1, *block])
            self._language.set_tensor(port, tensor)
            self._caches.append(tensor.data)

    def encode(self, media: Mapping[str, Any]) -> np.ndarray:
        """The pictures' features, float32 [places, H * (1 + deepstack)]. Raises InferenceError out of memory."""
        vision, width = self._facts.vision, self._facts.hidden_size * (1 + self._facts.deepstack)
        calls = [self._encode(inputs) for inputs in picture_inputs(vision, media)]
        features = np.concatenate(calls) if calls else np.empty((0, width), np.float32)
        if vision.kind == "planes" and calls:
            return join_planes(vision, features, media["image_sizes"])
        return features.reshape(-1, width)

    def _encode(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        try:
            for name, values in inputs.items():
                self._vision_inputs[name].write(values)
            self._vision.infer(share_outputs=True)
        except (RuntimeError, MemoryError) as error:
            size = " x ".join(map(str, inputs["pixel_values"].shape))
            raise _failure(f"Pictures of {size} numbers cannot be encoded", error) from error
        return self._vision.get_output_tensor(0).data.copy()

    def run(self, batch: Batch, meanwhile: Callable[[], None] | None = None) -> np.ndarray:
        """One forward call. Returns float32 logits [R, V], valid until the next. InferenceError: out of memory."""
        try:
            filled = padded(batch, self._length.fit(len(batch.token_ids)), self.num_blocks)
            wanted = _steady(batch.wanted, len(batch.token_ids), len(filled.token_ids))
            self._embed(filled)
            self._write(filled, wanted)
            self._infer(meanwhile)
        except (RuntimeError, MemoryError) as error:
            size = f"{len(batch.past_lens)} requests with {len(batch.token_ids):,} new tokens"
            raise _failure(f"{size} cannot be run", error) from error
        logits = self._language.get_output_tensor(0).data
        return logits.reshape(len(wanted), -1)[: len(batch.wanted)]

    def _infer(self, meanwhile: Callable[[], None] | None) -> None:
        if meanwhile is None:
            self._language.infer(share_outputs=True)  # in this very thread, which is quicker
            return
        self._language.start_async()
        try:
            meanwhile()
        finally:
            self._language.wait()

    def _write(self, batch: Batch, wanted: np.ndarray) -> None:
        inputs = self._inputs
        inputs["position_ids"].write(batch.positions if self._facts.axes == 3 else batch.positions[0])
        inputs["past_lens"].write(batch.past_lens)
        inputs["subsequence_begins"].write(batch.begins)
        inputs["block_indices"].write(batch.block_indices)
        inputs["block_indices_begins"].write(batch.block_begins)
        inputs["max_context_len"].view(())[...] = (batch.past_lens + np.diff(batch.begins)).max()
        inputs["wanted"].write(wanted)

    def _embed(self, batch: Batch) -> None:
        """Write the new tokens' embeddings [T, H], and the picture features in place of the placeholders'."""
        num_tokens, hidden_size = len(batch.token_ids), self._facts.hidden_size
        embeddings = self._inputs["inputs_embeds"].view((num_tokens, hidden_size))
        embeddings[...] = self._table[batch.token_ids]
        for place, features in batch.features:
            embeddings[place : place + len(features)] = features[:, :hidden_size]
        if self._facts.deepstack:
            deep = self._inputs["deepstack"].view((num_tokens, 1, self._facts.deepstack * hidden_size))
            deep[...] = 0
            for place, features in batch.features:
                deep[place : place + len(features), 0] = features[:, hidden_size:]

    def copy_block(self, source: int, target: int) -> None:
        for cache in self._caches:
            cache[target] = cache[source]

    def close(self) -> None:
        """Free the graphs and the cache. Closing twice does nothing."""
        self._inputs, self._vision_inputs, self._caches = {}, {}, []
        self._language = self._vision = self._table = None  # type: ignore[assignment]


def _steady(wanted: np.ndarray, tokens: int, length: int) -> np.ndarray:
    """What is wanted, with as many rows more as the batch was filled up with where all of it is wanted, so that its
    shape stays too; at least one, since the operators refuse none."""
    extra = length - tokens if len(wanted) == tokens else int(not len(wanted))
    return np.concatenate([wanted, np.zeros(extra, np.int64)]) if extra else wanted


def num_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _threads(facts: BundleFacts) -> int:
    weights = 12 * facts.num_layers * facts.hidden_size**2  # of a transformer's layers, roughly
    return max(1, num_cores() // 2) if weights <= SMALL else num_cores()


def _options(precision: str, threads: int) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": precision,
        "KV_CACHE_PRECISION": precision,  # the default quantises to 8 bits
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,  # both graphs would take the same cores first
        "CPU_RUNTIME_CACHE_CAPACITY": KERNELS,
    }


def _compile(core: ov.Core, bundle: Bundle, part: str, options: Mapping[str, Any]) -> ov.CompiledModel:
    path = getattr(bundle, part)
    try:
        model = core.read_model(path)
        fill_constants(model, bundle.folder)
        if part == "language":
            make_paged(model)
        return core.compile_model(model, "CPU", dict(options))
    except (RuntimeError, ValueError, OSError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise LoadError(
            f"{path} cannot be compiled ({reason}).", "Make the bundle again with vi-infer convert."
        ) from error


def _failure(what: str, error: Exception) -> InferenceError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
    return InferenceError(f"{what} ({reason}).", HINT)


def _free_memory() -> int:
    """Bytes that can still be allocated; where the system does not tell, as much as lets the cache have its most."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return CACHE_SHARE * CACHE_MOST
