"""Picture encoders over tiles of one size, to be traced: [N, 3, height, width] -> features [N, places, H]."""

from __future__ import annotations

from typing import Any, ClassVar

import torch

TILES = 2  # of the example that is traced


class _Tiles(torch.nn.Module):
    """A model whose pictures are cut into tiles; the number of tiles is free."""

    free_axes: ClassVar = {"pixel_values": 1}

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def example(self) -> dict[str, torch.Tensor]:
        vision = self.model.config.vision_config
        height, width = vision.image_size if isinstance(vision.image_size, list | tuple) else (vision.image_size,) * 2
        return {"pixel_values": torch.zeros(TILES, 3, height, width)}


class InternTiles(_Tiles):
    """InternVL: transformers' own forward can be traced."""

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        config = self.model.config
        return self.model.get_image_features(
            pixel_values,
            vision_feature_layer=config.vision_feature_layer,
            vision_feature_select_strategy=config.vision_feature_select_strategy,
        ).pooler_output


class LlavaTiles(_Tiles):
    """LLaVA-NeXT and LLaVA-OneVision before tiles are joined; the last feature of each tile is the newline."""

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        config = self.model.config
        states = self.model.vision_tower(pixel_values, output_hidden_states=True).hidden_states
        layers = config.vision_feature_layer
        chosen = [states[layer] for layer in ([layers] if isinstance(layers, int) else layers)]
        hidden = torch.cat(chosen, dim=-1)
        if config.vision_feature_select_strategy == "default":
            hidden = hidden[:, 1:]  # without the class token
        features = self.model.multi_modal_projector(hidden)
        return torch.cat([features, self.model.image_newline.expand(features.shape[0], 1, -1)], dim=1)


class SmolTiles(_Tiles):
    """SmolVLM and Idefics3: their own forward drops empty tiles and counts places at run time; here tiles are full."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.places = _counted_places(model.vision_model, self.example()["pixel_values"][:1])

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        tower = self.model.vision_model
        patches = tower.embeddings.patch_embedding(pixel_values).flatten(2).transpose(1, 2)  # [N, S, C]
        hidden = patches + tower.embeddings.position_embedding(self.places)
        hidden = tower.encoder(inputs_embeds=hidden, attention_mask=None).last_hidden_state
        return self.model.connector(tower.post_layernorm(hidden))


def _counted_places(tower: Any, tile: torch.Tensor) -> torch.Tensor:
    """The rows of the position table that the tower itself looks up for a full tile, int64 [1, S]."""
    seen: list[torch.Tensor] = []
    table = tower.embeddings.position_embedding
    hook = table.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    side = tile.shape[-1] // tower.patch_size
    with torch.no_grad():
        tower.embeddings(pixel_values=tile, patch_attention_mask=torch.ones(1, side, side, dtype=torch.bool))
    hook.remove()
    return seen[0].long()
