"""Attention over a cache of keys and values in blocks, as an implementation that transformers' own layers call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from vi.inference.errors import InferenceError

PAGED_ATTENTION = "vi_paged"  # transformers makes no mask for a name that has no mask function registered


@dataclass(frozen=True)
class Chunk:
    """A row with several new tokens: ``first:last`` of T, after ``past`` cached ones. blocks: those that it reads."""

    first: int
    last: int
    past: int
    blocks: torch.Tensor

    @property
    def length(self) -> int:
        """Tokens of the row in the cache once the new ones are there."""
        return self.past + self.last - self.first


@dataclass
class PagedStep:
    """Where one forward call finds and leaves keys and values: made once, read by the attention of every layer.

    keys, values: one tensor a layer, [blocks, block size, key-value heads, head size]. The others as in
    ``StepTables``, on the model's device.
    """

    keys: list[torch.Tensor]
    values: list[torch.Tensor]
    slots: torch.Tensor
    opened: torch.Tensor
    singles: torch.Tensor
    lengths: torch.Tensor
    table: torch.Tensor
    chunks: list[Chunk]
    _single_masks: dict[int | None, torch.Tensor] = field(default_factory=dict)
    _chunk_masks: dict[tuple[int, int | None], torch.Tensor | None] = field(default_factory=dict)

    def write(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> None:
        """Put the new tokens' keys and values [K, T, D] into the cache.

        What an earlier request left in a block is wiped when it is opened: a key that is masked must be a number.
        """
        for cache, new in ((self.keys[layer], key), (self.values[layer], value)):
            cache.index_fill_(0, self.opened, 0)
            cache.flatten(0, 1).index_copy_(0, self.slots, new.transpose(0, 1))

    def read_singles(self, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of the rows with one new token, each [B, K, L, D]; those behind a row's end are masked."""
        blocks, rows = self.table.flatten(), len(self.table)
        keys, values = (
            cache[layer].index_select(0, blocks).flatten(0, 1).unflatten(0, (rows, -1)).transpose(1, 2)
            for cache in (self.keys, self.values)
        )
        return keys, values

    def read(self, layer: int, chunk: Chunk) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of a row with several new tokens, each [K, L, D]."""
        keys, values = (
            cache[layer].index_select(0, chunk.blocks).flatten(0, 1)[: chunk.length].transpose(0, 1)
            for cache in (self.keys, self.values)
        )
        return keys, values

    def single_mask(self, window: int | None) -> torch.Tensor:
        """[B, 1, 1, L]: which cached tokens each row of one new token sees, the last ``window`` of them or all."""
        if window not in self._single_masks:
            place = torch.arange(self.table.shape[1] * self.keys[0].shape[1], device=self.table.device)
            seen = place < self.lengths[:, None]
            if window is not None:
                seen &= place >= self.lengths[:, None] - window
            self._single_masks[window] = seen[:, None, None]
        return self._single_masks[window]

    def chunk_mask(self, index: int, window: int | None) -> torch.Tensor | None:
        """[new, L] of ``chunks[index]``; None where it is just causal."""
        if (index, window) not in self._chunk_masks:
            self._chunk_masks[index, window] = self._make_chunk_mask(self.chunks[index], window)
        return self._chunk_masks[index, window]

    def _make_chunk_mask(self, chunk: Chunk, window: int | None) -> torch.Tensor | None:
        if not chunk.past and (window is None or chunk.length <= window):
            return None
        query = torch.arange(chunk.past, chunk.length, device=self.slots.device)[:, None]
        key = torch.arange(chunk.length, device=self.slots.device)
        seen = key <= query
        return seen if window is None else seen & (key > query - window)


def paged_attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    *,
    paged: PagedStep,
    scaling: float,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of a ragged batch laid end to end, each row over its own blocks.

    query: [1, H, T, D]; key, value: [1, K, T, D] with H a multiple of K (grouped queries). Returns [1, T, H, D].
    sliding_window: how many tokens a token sees, itself among them. softcap: bounds scores before the softmax, as in
    Gemma 2. Raises InferenceError for attention sinks (s_aux), as in gpt-oss, which are not there.
    """
    if s_aux is not None:
        raise InferenceError("This model's attention has sinks, which a paged cache does not do.")
    key, value = key[0], value[0]
    query = query[0].unflatten(0, (len(key), -1))  # [K, G, T, D], G queries for each key
    layer = module.layer_idx
    paged.write(layer, key, value)
    if not paged.chunks:  # then the single rows are all of T, in order
        rows = query.permute(2, 0, 1, 3)  # [T, K, G, D]
        out = attend(rows, *paged.read_singles(layer), paged.single_mask(sliding_window), scaling, softcap)
        return out.flatten(1, 2)[None], None
    out = query.new_empty(*(query.shape[axis] for axis in (2, 0, 1, 3)))
    if len(paged.singles):
        rows = query[:, :, paged.singles].permute(2, 0, 1, 3)
        mask = paged.single_mask(sliding_window)
        out[paged.singles] = attend(rows, *paged.read_singles(layer), mask, scaling, softcap)
    for index, chunk in enumerate(paged.chunks):
        new = slice(chunk.first, chunk.last)
        keys, values = paged.read(layer, chunk) if chunk.past else (key[:, new], value[:, new])  # [K, L, D]
        keys, values = (part[:, None].expand(-1, query.shape[1], -1, -1) for part in (keys, values))  # [K, G, L, D]
        chunk_mask = paged.chunk_mask(index, sliding_window)
        out[new] = attend(query[:, :, new], keys, values, chunk_mask, scaling, softcap).permute(2, 0, 1, 3)
    return out.flatten(1, 2)[None], None


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    scaling: float,
    softcap: float | None,
) -> torch.Tensor:
    """query: [.., n, D]; key, value: [.., L, D]; mask: True where seen, None is causal (n = L). Returns [.., n, D]."""
    if softcap is None:
        return scaled_dot_product_attention(query, key, value, mask, is_causal=mask is None, scale=scaling)
    scores = softcap * torch.tanh(query @ key.transpose(-1, -2) * (scaling / softcap))
    if mask is None:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    scores = scores.masked_fill(~mask, float("-inf"))
    return torch.softmax(scores, -1, dtype=torch.float32).to(value.dtype) @ value


AttentionInterface.register(PAGED_ATTENTION, paged_attention)
