"""Pictures and their packs for training, drawn by worker processes from (seed, step) alone, so that it can resume."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from training.workbench import surfaces
from training.workbench.grids import CELL, grid_for
from training.workbench.packs import Pack, Packer
from training.workbench.scenes import Scene, draw, random_scene, random_size
from training.workbench.targets import dense_targets


@dataclass
class Batch:
    """pictures: uint8 [B, H, W, 3]; of clips [B, T, H, W, 3], and N counts their temporal patches.

    patch_* and cell_*: dense targets, class -1 where there is no part.

    turn: when a part's name comes in a list of all, from 0; a token that names the third thing has to find it.
    column, row: in which third of the picture the part lies.
    patch_box, cell_box: box edges less the patch's or cell's centre, fractions x 8. pack: None in the first phase.
    """

    pictures: torch.Tensor
    patch_class: torch.Tensor  # [B, N, 7] kind, colour, size, turn, column, row, defect
    patch_box: torch.Tensor  # [B, N, 4]
    cell_class: torch.Tensor  # [B, N / 4, 7]
    cell_box: torch.Tensor
    surface: torch.Tensor  # [B]
    cell_motion: torch.Tensor | None = None  # [B, N / 4, 3], of clips: ``clip_targets.MOTIONS``
    pack: Pack | None = None


class Batches(Dataset):
    """Batch number ``step`` of the series; every picture of a batch has the same grid."""

    def __init__(self, seed: int, size: int, tokenizer_file: str | None, steps: int, tokens: int = 512) -> None:
        self.seed, self.size, self.steps, self.tokens = seed, size, steps, tokens
        self.tokenizer_file = tokenizer_file
        self._packer: Packer | None = None

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self.seed, 77, step))
        aspect = 1.0 if rng.random() < 0.45 else float(np.exp(rng.uniform(-math.log(3), math.log(3))))
        grid = grid_for(*random_size(rng, aspect))
        scenes, pictures = [], []
        for index in range(self.size):
            width, height = _size_for(rng, aspect, grid)
            scene = random_scene(self.seed, step * self.size + index, aspect=width / height)
            scenes.append(scene)
            pictures.append(_seen(rng, scene, width, height, grid))
        patch, cell = zip(*(dense_targets(s, grid) for s in scenes), strict=True)
        batch = Batch(
            pictures=torch.from_numpy(np.stack(pictures)),
            patch_class=torch.from_numpy(np.stack([p[0] for p in patch])),
            patch_box=torch.from_numpy(np.stack([p[1] for p in patch])),
            cell_class=torch.from_numpy(np.stack([c[0] for c in cell])),
            cell_box=torch.from_numpy(np.stack([c[1] for c in cell])),
            surface=torch.tensor([surfaces.NAMES.index(s.surface) for s in scenes]),
        )
        if self.tokenizer_file:
            self._packer = self._packer or Packer(self.tokenizer_file)
            batch.pack = self._packer.pack(rng, scenes, grid, self.tokens)
        return batch


def _size_for(rng: np.random.Generator, aspect: float, grid: tuple[int, int]) -> tuple[int, int]:
    """A picture size near that aspect ratio that the model will see on this very grid."""
    for _ in range(40):
        width, height = random_size(rng, float(np.clip(aspect * math.exp(rng.normal(0, 0.05)), 1 / 3, 3)))
        if grid_for(width, height) == grid:
            return width, height
    return grid[1] * CELL, grid[0] * CELL


def _seen(rng: np.random.Generator, scene: Scene, width: int, height: int, grid: tuple[int, int]) -> np.ndarray:
    """The picture as the model sees it, uint8 [H, W, 3]; large ones are drawn no larger than twice what is seen."""
    scale = min(1.0, 1.5 * math.sqrt(grid[0] * grid[1] * CELL * CELL / (width * height)))
    picture = draw(scene, max(32, round(width * scale)), max(32, round(height * scale)))
    return np.asarray(picture.resize((grid[1] * CELL, grid[0] * CELL), Image.Resampling.BICUBIC))
