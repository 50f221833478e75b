"""Picture encoders over patches of any number, a picture's size being its own, to be traced.

What follows from a picture's size alone (places, windows, interpolation) comes in as inputs, which
``engine/runners/picture_inputs.py`` computes in numpy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch.nn.functional import linear, scaled_dot_product_attention

FRAMES, PATCHES, WINDOWS, WIDTH = 2, 16, 3, 8  # of the example that is traced


class PatchVision(torch.nn.Module):
    """The encoders of Qwen2-VL, Qwen2.5-VL and Qwen3-VL over frames of one size.

    pixel_values [F, S, P], patches in the order of squares that are merged; places [S, 2], row and column of a patch.
    With a learned grid of positions: grid_indices, grid_weights [S, 4]. With windows: window_places [W, L],
    window_padding [W, L] (-inf where a window is not full, else 0), window_return [S], each patch's place in W * L.
    Returns [F * S / merge², H * (1 + K)]: features, then those for the K layers that deepstack adds to.
    """

    free_axes: ClassVar = {"pixel_values": 2, "places": 1, "grid_indices": 1, "grid_weights": 1}  # the others': all

    def __init__(self, tower: Any) -> None:
        super().__init__()
        self.tower = tower
        whole = getattr(tower, "fullatt_block_indexes", range(len(tower.blocks)))
        self.windowed = [index not in whole for index in range(len(tower.blocks))]
        self.deepstack = list(getattr(tower, "deepstack_visual_indexes", ()))
        self.has_grid = hasattr(tower, "pos_embed")

    @property
    def input_names(self) -> list[str]:
        grid = ["grid_indices", "grid_weights"] if self.has_grid else []
        windows = ["window_places", "window_padding", "window_return"] if any(self.windowed) else []
        return ["pixel_values", "places", *grid, *windows]

    def example(self) -> dict[str, torch.Tensor]:
        merge, patch_size = self.tower.spatial_merge_size**2, self.tower.patch_embed.proj.weight[0].numel()
        integers = torch.zeros(PATCHES * merge, 4, dtype=torch.long)
        shown = {
            "pixel_values": torch.zeros(FRAMES, PATCHES * merge, patch_size),
            "places": integers[:, :2],
            "grid_indices": integers,
            "grid_weights": integers.float(),
            "window_places": torch.zeros(WINDOWS, WIDTH * merge, dtype=torch.long),
            "window_padding": torch.zeros(WINDOWS, WIDTH * merge),
            "window_return": integers[:, 0],
        }
        return {name: shown[name].clone() for name in self.input_names}

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        inputs = dict(zip(self.input_names, given, strict=True))
        patches = self.tower.patch_embed.proj
        hidden = linear(
            inputs["pixel_values"], patches.weight.flatten(1), patches.bias
        )  # kernel = stride: no convolution
        if self.has_grid:
            corners = self.tower.pos_embed(inputs["grid_indices"])  # [S, 4, C]
            hidden = hidden + (corners * inputs["grid_weights"][..., None]).sum(1)
        angles = (inputs["places"][..., None].float() * self.tower.rotary_pos_emb.inv_freq).flatten(1)
        angles = torch.cat([angles, angles], dim=-1)  # [S, head_dim]
        rotation = angles.cos(), angles.sin()
        deep = []
        for index, block in enumerate(self.tower.blocks):
            windows = inputs if self.windowed[index] else None
            hidden = hidden + _attend(block.attn, block.norm1(hidden), rotation, windows)
            hidden = hidden + block.mlp(block.norm2(hidden))
            if index in self.deepstack:
                deep.append(self.tower.deepstack_merger_list[self.deepstack.index(index)](hidden))
        return torch.cat([self.tower.merger(hidden), *deep], dim=-1)


def _attend(
    attention: Any,
    hidden: torch.Tensor,
    rotation: tuple[torch.Tensor, torch.Tensor],
    windows: Mapping[str, torch.Tensor] | None,
) -> torch.Tensor:
    """Attention of every patch to its frame, or to its window."""
    frames, patches, _ = hidden.shape
    heads = attention.qkv(hidden).reshape(frames, patches, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    queries, keys, values = heads.unbind(0)  # [F, heads, S, d]
    queries, keys = _rotate(queries, rotation), _rotate(keys, rotation)
    if windows is None:
        mixed = scaled_dot_product_attention(queries, keys, values)
    else:
        mixed = _attend_in_windows(queries, keys, values, windows)
    return attention.proj(mixed.transpose(1, 2).reshape(frames, patches, -1))


def _attend_in_windows(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, windows: Mapping[str, torch.Tensor]
) -> torch.Tensor:
    """Windows are rows of a batch, filled up with patches that no query sees. [F, heads, S, d] in and out."""
    frames, heads, _, width = queries.shape
    count, length = windows["window_places"].shape
    places = windows["window_places"].flatten()
    shape = (frames, heads, count, length, width)

    def cut(part: torch.Tensor) -> torch.Tensor:
        chosen = part.index_select(2, places).reshape(shape)
        return chosen.transpose(1, 2).reshape(frames * count, heads, length, width)

    padding = windows["window_padding"][None].expand(frames, count, length).reshape(frames * count, 1, 1, length)
    padding = padding.expand(-1, 1, length, -1)
    mixed = scaled_dot_product_attention(cut(queries), cut(keys), cut(values), attn_mask=padding)
    mixed = mixed.reshape(frames, count, heads, length, width).transpose(1, 2).reshape(frames, heads, -1, width)
    return mixed.index_select(2, windows["window_return"])


def _rotate(heads: torch.Tensor, rotation: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Rotary positions (Su et al. 2021), halves of a head paired as in Llama."""
    cosines, sines = rotation
    first, second = heads.chunk(2, dim=-1)
    return heads * cosines + torch.cat([-second, first], dim=-1) * sines
