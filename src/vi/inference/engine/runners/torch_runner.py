"""Runs transformers' language modules for many requests at once over a cache of blocks, on any device torch knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from vi.inference.engine.batch import Batch
from vi.inference.engine.runners.base import Precision
from vi.inference.engine.runners.features import Features
from vi.inference.engine.runners.paged_attention import PAGED_ATTENTION, Chunk, PagedStep
from vi.inference.engine.runners.step_tables import step_tables
from vi.inference.errors import InferenceError

CLIP_MEDIA = ("pixel_values_videos", "video_grid_thw")


def block_bytes(config: Any, dtype: torch.dtype, block_size: int = 32) -> int:
    """Bytes that one block of a model's cache takes. config: transformers' own object."""
    layers, heads, size = _cache_shape(config)
    return 2 * layers * block_size * heads * size * dtype.itemsize


class PagedTorchRunner:
    """A ``PagedRunner``. It owns the model: the language module's attention is set to ours and stays so.

    model, config: a model class of transformers and its config. The cache of ``num_blocks`` blocks of ``block_size``
    tokens is allocated at once. Raises InferenceError where the device has no memory for it.
    """

    encodes_beside = False  # one device, which either call fills

    def __init__(
        self,
        model: Any,
        config: Any,
        device: torch.device,
        dtype: torch.dtype,
        *,
        num_blocks: int,
        block_size: int = 32,
    ) -> None:
        self.block_size = block_size
        self.num_blocks = num_blocks
        self.block_bytes = block_bytes(config, dtype, block_size)
        self.precision: Precision = "exact" if dtype.itemsize >= 4 else "fast"
        self._device, self._dtype = device, dtype
        self._model = model
        self._language = model.model.get_decoder()
        self._language.set_attn_implementation(PAGED_ATTENTION)
        self._embed, self._head = model.get_input_embeddings(), model.get_output_embeddings()
        layers, heads, size = _cache_shape(config)
        shape = num_blocks, block_size, heads, size
        with _out_of_memory(f"for a cache of {num_blocks} blocks of {self.block_bytes:,} bytes", "Use fewer blocks."):
            # Not zeros, which would take all of a CPU's memory for it now: a block is wiped when it is opened.
            self._keys = [torch.empty(shape, dtype=dtype, device=device) for _ in range(layers)]
            self._values = [torch.empty(shape, dtype=dtype, device=device) for _ in range(layers)]

    @torch.inference_mode()
    def encode(self, media: Mapping[str, Any]) -> Features:
        """The features of pictures, then those of clips, each kind in one call of the model's own vision tower."""
        inputs = {name: self._place(array) for name, array in media.items()}
        clips = {name: inputs.pop(name) for name in CLIP_MEDIA if name in inputs}
        sizes = " and ".join(str(list(array.shape)) for name, array in media.items() if name.startswith("pixel_values"))
        with _out_of_memory(f"to encode pixels {sizes}", "Use smaller or fewer pictures."):
            calls = ("get_image_features", inputs), ("get_video_features", clips)
            outputs = [getattr(self._model, name)(**given) for name, given in calls if given]
            return _concatenated([self._features(output) for output in outputs])

    def _features(self, outputs: Any) -> Features:
        deepstack = getattr(outputs, "deepstack_features", None)
        return Features(
            _joined(outputs.pooler_output).to(self._dtype),
            torch.stack([_joined(layer) for layer in deepstack]).to(self._dtype) if deepstack else None,
        )

    @torch.inference_mode()
    def run(self, batch: Batch, meanwhile: Callable[[], None] | None = None) -> torch.Tensor:
        """One forward call over T tokens as one sequence. Returns logits [R, V] in float32."""
        tokens, rows = len(batch.token_ids), len(batch.past_lens)
        with _out_of_memory(f"to read {tokens} tokens of {rows} requests", "Use a smaller token budget a step."):
            ids, positions, wanted, step = self._step(batch)
            embeddings = self._embed(ids)[None]  # [1, T, H]
            for place, features in batch.features:
                embeddings[0, place : place + len(features)] = features.embeddings
            outputs = self._language(
                inputs_embeds=embeddings,
                position_ids=positions[:, None] if len(positions) > 1 else positions,
                use_cache=False,
                paged=step,
                **_deepstack(batch.features, embeddings),
            )
            logits = self._head(outputs.last_hidden_state[0, wanted]).float()
        if meanwhile is not None:
            meanwhile()  # an accelerator still computes
        return logits

    @torch.inference_mode()
    def copy_block(self, source: int, target: int) -> None:
        for cache in (*self._keys, *self._values):
            cache[target] = cache[source]

    def close(self) -> None:
        """Free the cache and let go of the model."""
        self._model = self._language = self._embed = self._head = None
        self._keys, self._values = [], []
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _step(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, PagedStep]:
        """Token ids [T], positions [A, T], wanted [R] and the tables, on the device in one transfer."""
        token_ids = batch.token_ids.copy()
        for place, features in batch.features:  # a placeholder's id may lie outside of the embedding table
            token_ids[place : place + len(features)] = 0
        tables = step_tables(batch, self.block_size)
        of_rows = tables.slots, tables.opened, tables.singles, tables.lengths, tables.table
        arrays = [token_ids, batch.positions, batch.wanted, *of_rows, *(chunk.blocks for chunk in tables.chunks)]
        ids, positions, wanted, slots, opened, singles, lengths, table, *blocks = _moved(arrays, self._device)
        step = PagedStep(
            self._keys,
            self._values,
            slots=slots,
            opened=opened,
            singles=singles,
            lengths=lengths,
            table=table,
            chunks=[
                Chunk(chunk.first, chunk.last, chunk.past, read)
                for chunk, read in zip(tables.chunks, blocks, strict=True)
            ],
        )
        return ids, positions, wanted, step

    def _place(self, array: Any) -> torch.Tensor:
        """On the model's device, and in its precision where it holds pixels."""
        tensor = torch.as_tensor(array)
        return tensor.to(self._device, self._dtype if tensor.is_floating_point() else tensor.dtype)


def _cache_shape(config: Any) -> tuple[int, int, int]:
    """(layers, key-value heads, head size) of the language model."""
    text = config.get_text_config()
    size = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return text.num_hidden_layers, getattr(text, "num_key_value_heads", None) or text.num_attention_heads, size


def _concatenated(parts: Sequence[Features]) -> Features:
    deepstack = [part.deepstack for part in parts if part.deepstack is not None]
    return Features(torch.cat([part.embeddings for part in parts]), torch.cat(deepstack, dim=1) if deepstack else None)


def _joined(features: Any) -> torch.Tensor:
    """[N, H] of what families give as one tensor [.., H] or as one [n, H] a picture."""
    parts = [features] if isinstance(features, torch.Tensor) else features
    return torch.cat([part.flatten(0, -2) for part in parts])


def _deepstack(features: Sequence[tuple[int, Features]], embeddings: torch.Tensor) -> dict[str, Any]:
    """Qwen3-VL's arguments: which places of [1, T] are pictures', and what each of the first layers adds there."""
    pictures = sorted(
        ((place, part) for place, part in features if part.deepstack is not None), key=lambda pair: pair[0]
    )
    if not pictures:
        return {}
    places = embeddings.new_zeros(embeddings.shape[:2], dtype=torch.bool)
    for place, part in pictures:
        places[0, place : place + len(part)] = True
    layers = torch.cat([part.deepstack for _, part in pictures if part.deepstack is not None], dim=1)
    return {"visual_pos_masks": places, "deepstack_visual_embeds": list(layers)}


def _moved(arrays: Sequence[np.ndarray], device: torch.device) -> list[torch.Tensor]:
    """Integer arrays as int64 tensors of the same shapes, views of one tensor that was moved once."""
    flat = torch.from_numpy(np.concatenate([array.ravel() for array in arrays]).astype(np.int64)).to(device)
    parts = flat.split([math.prod(array.shape) for array in arrays])
    return [part.view(array.shape) for part, array in zip(parts, arrays, strict=True)]


@contextmanager
def _out_of_memory(what: str, hint: str) -> Iterator[None]:
    """InferenceError in place of what a device raises when its memory is full; a CPU raises a plain RuntimeError."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise InferenceError(f"The device has no memory left {what} ({error}).", hint) from error
    except RuntimeError as error:
        if "allocate memory" not in str(error) and "enough memory" not in str(error):  # by system
            raise
        raise InferenceError(f"The device has no memory left {what} ({error}).", hint) from error
