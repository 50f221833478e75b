"""What a model is given: token ids with their positions, and the arrays of the pictures among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Prompt:
    """One conversation, ready for a runner.

    token_ids: [S], with one placeholder id for every place a picture fills. media: the picture processor's numpy
    arrays by the name the model's ``forward`` gives them (``pixel_values``, ``image_grid_thw``, ...). image_tokens: how
    many of the ``token_ids`` are placeholders. seen_size: (width, height) in pixels of the first picture after
    resizing, None without one or where the architecture cuts pictures into tiles.

    positions: int64 [A, S], A = 3 (time, height, width) where the architecture has such, else 1; the k-th token after
    the prompt stands at ``next_position + k`` on every axis. media_key: SHA-256 of what ``media`` was made of, empty
    without any; prompts of one model with equal keys have equal picture features. placeholder_id: the id that stands
    for a place of a picture.
    """

    token_ids: list[int]
    media: dict[str, Any] = field(default_factory=dict)
    image_tokens: int = 0
    seen_size: tuple[int, int] | None = None
    positions: np.ndarray | None = None
    media_key: bytes = b""
    placeholder_id: int | None = None

    @property
    def next_position(self) -> int:
        """Where the first token after the prompt stands."""
        assert self.positions is not None
        return int(self.positions.max()) + 1
