"""What each step of a training is about: pictures, and every so often clips."""

from __future__ import annotations

import torch
from torch.utils.data import DataLoader, Dataset

from training.workbench.batches import Batch, Batches
from training.workbench.clip_batches import ClipBatches

CLIPS_EVERY = 6
CLIP_COST = 2  # a clip takes as long as so many pictures


class Course(Dataset):
    """Batch number ``step`` of the series, a function of both; ``size`` pictures a step, or clips that take as long."""

    def __init__(self, seed: int, size: int, tokenizer_file: str | None, steps: int) -> None:
        self.steps = steps
        self.pictures = Batches(seed, size, tokenizer_file, steps)
        self.clips = ClipBatches(seed, max(1, size // CLIP_COST), tokenizer_file, steps) if tokenizer_file else None

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        if self.clips is not None and step % CLIPS_EVERY == CLIPS_EVERY - 1:
            return self.clips[step]
        return self.pictures[step]


def loader(seed: int, size: int, tokenizer_file: str | None, start: int, steps: int, workers: int) -> DataLoader:
    """Batches ``start`` to ``steps`` of the series in order, drawn ahead by worker processes."""
    return DataLoader(
        Course(seed, size, tokenizer_file, steps), sampler=range(start, steps), batch_size=None, num_workers=workers,
        prefetch_factor=4 if workers else None, worker_init_fn=lambda _: torch.set_num_threads(1),
    )  # fmt: skip
