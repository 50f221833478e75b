"""Attention written out over the stock modules' weights: pictures as one batch, packs of questions in blocks."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb

BLOCK = 64  # tokens that attend together


def pack_mask(segments: torch.Tensor) -> torch.Tensor:
    """bool [B, 1, T, T]: causal, to the prefix (segment 0) and to one's own question only."""
    length = segments.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=segments.device).tril()
    same = segments[:, :, None] == segments[:, None, :]
    return ((same | (segments == 0)[:, None, :]) & causal)[:, None]


def norm(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """In autocast's type where that is on: what reads it would otherwise be given a copy each."""
    out = F.rms_norm(x, (x.shape[-1],), module.weight.to(x.dtype), module.variance_epsilon)
    kind = x.device.type
    return out.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else out


def _rotate(x: torch.Tensor) -> torch.Tensor:
    half = x.shape[-1] // 2
    return torch.cat([-x[..., half:], x[..., :half]], -1)


def attend(attention: nn.Module, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    size, length, width = x.shape
    q, k, v = (
        attention.qkv(x).view(size, length, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    )  # each [B, heads, N, head]
    cos, sin = cos.to(q.dtype), sin.to(q.dtype)
    q, k = q * cos + _rotate(q) * sin, k * cos + _rotate(k) * sin
    out = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).softmax(-1).to(v.dtype) @ v  # faster than the fused kernel here
    return attention.proj(out.transpose(1, 2).reshape(size, length, width))


def text_heads(
    attention: nn.Module, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Queries, keys and values, each [B, heads, T, head]."""
    size, length, _ = x.shape
    q, k, v = (
        p(x).view(size, length, -1, attention.head_dim).transpose(1, 2)
        for p in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    return (*apply_rotary_pos_emb(q, k, cos.to(q.dtype), sin.to(q.dtype)), v)


def pack_blocks(segments: torch.Tensor) -> list[tuple[slice, torch.Tensor]]:
    """For every ``BLOCK`` tokens of a pack: their keys behind the prefix, and the mask over the prefix and these.

    A question attends to the prefix and itself, so most keys of a whole pack would be masked away.
    """
    mask = pack_mask(segments)
    length, prefix = segments.shape[1], int((segments[0] == 0).sum())
    blocks = []
    for start in range(0, length, BLOCK):
        end = min(length, start + BLOCK)
        own = segments == segments[:, start : start + 1]
        first = own.int().argmax(1).where(segments[:, start] > 0, start)  # [B], the beginning of the question there
        first = max(prefix, int(first.min())) if start >= prefix else prefix
        keys = slice(first, max(first, end))
        blocks.append((keys, torch.cat([mask[:, :, start:end, :prefix], mask[:, :, start:end, keys]], 3)))
    return blocks


def attend_blocks(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, blocks: list[tuple[slice, torch.Tensor]]
) -> torch.Tensor:
    """[B, T, heads * head]; written out, as the fused kernel is slower at these sizes."""
    size, heads, length, width = q.shape
    groups, prefix = k.shape[1], blocks[0][0].start
    parts = (q / width**0.5).unflatten(1, (groups, -1)).split(BLOCK, 3)  # each [B, groups, heads a group, t, head]
    first_k, first_v = k[:, :, :prefix], v[:, :, :prefix]
    outs = []
    for part, (rest, mask) in zip(parts, blocks, strict=True):
        keys, values = torch.cat([first_k, k[:, :, rest]], 2), torch.cat([first_v, v[:, :, rest]], 2)
        scores = (part.flatten(2, 3) @ keys.transpose(2, 3)).unflatten(2, (heads // groups, -1))
        share = scores.masked_fill(~mask[:, :, None], float("-inf")).softmax(-1).to(v.dtype)
        outs.append((share.flatten(2, 3) @ values).unflatten(2, (heads // groups, -1)))
    return torch.cat(outs, 3).permute(0, 3, 1, 2, 4).reshape(size, length, heads * width)
