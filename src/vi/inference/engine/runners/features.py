"""What a model sees of pictures: one vector a placeholder, and what deeper layers add to it."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Features:
    """N places. embeddings: [N, H]. deepstack: [layers, N, H], what is added after each of the first layers (Qwen3-VL;
    Meng et al. 2024), or None. Slices are views.
    """

    embeddings: torch.Tensor
    deepstack: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.embeddings)

    def __getitem__(self, places: slice) -> Features:
        return Features(self.embeddings[places], None if self.deepstack is None else self.deepstack[:, places])

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return self.embeddings.nbytes + (0 if self.deepstack is None else self.deepstack.nbytes)
