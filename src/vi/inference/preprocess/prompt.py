"""What a model is given: token ids, and the tensors of the pictures among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Prompt:
    """One conversation, ready for a runner.

    token_ids: [S], with one placeholder id for every place a picture fills. media: the image processor's tensors by
    the name the model's ``forward`` gives them (``pixel_values``, ``image_grid_thw``, ...). image_tokens: how many of
    the ``token_ids`` are placeholders. seen_size: (width, height) in pixels of the first picture after resizing, None
    without one or where the architecture cuts pictures into tiles.
    """

    token_ids: list[int]
    media: dict[str, torch.Tensor] = field(default_factory=dict)
    image_tokens: int = 0
    seen_size: tuple[int, int] | None = None
