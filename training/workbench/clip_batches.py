"""Clips and their packs for training, drawn by worker processes from (seed, step) alone."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from training.workbench import surfaces, wire
from training.workbench.batches import Batch
from training.workbench.clip_looks import ClipGaze
from training.workbench.clip_questions import CLIP_MIX, clip_question
from training.workbench.clip_targets import Shots, clip_dense_targets, motion_targets
from training.workbench.clips import LONGEST, SHORTEST, Clip, frames, random_aspect, random_clip
from training.workbench.grids import CELL, CLIP_PIXELS, MERGE, grid_for
from training.workbench.packs import Pack, Packer, Row, answer_weights
from training.workbench.points import points
from training.workbench.question import Question
from training.workbench.scenes import random_size
from vi.inference.preprocess.clip_positions import clip_positions

FPS = 4.0  # what a call looks at unless it says otherwise
TOKENS_PER_SECOND = 4  # of ``network.config``
LARGEST = 640  # pixels of a side
_QUESTIONS = 9


class ClipBatches(Dataset):
    """Batch number ``step`` of the series; all clips of a batch last as long and have the same grid."""

    def __init__(self, seed: int, size: int, tokenizer_file: str, steps: int, tokens: int = 512) -> None:
        self.seed, self.size, self.steps, self.tokens = seed, size, steps, tokens
        self.tokenizer_file = tokenizer_file
        self._packer: ClipPacker | None = None

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self.seed, 78, step))
        shots = random_shots(rng)
        width, height = random_size(rng, random_aspect(rng), longest=LARGEST)
        grid = grid_for(width, height, CLIP_PIXELS)
        clips = [
            random_clip(self.seed, step * self.size + index, aspect=width / height, duration=shots.duration)
            for index in range(self.size)
        ]
        patch, cell = zip(*(clip_dense_targets(clip, shots, grid) for clip in clips), strict=True)
        self._packer = self._packer or ClipPacker(self.tokenizer_file)
        return Batch(
            pictures=torch.from_numpy(np.stack([_seen(clip, shots, width, height, grid) for clip in clips])),
            patch_class=torch.from_numpy(np.stack([p[0] for p in patch])),
            patch_box=torch.from_numpy(np.stack([p[1] for p in patch])),
            cell_class=torch.from_numpy(np.stack([c[0] for c in cell])),
            cell_box=torch.from_numpy(np.stack([c[1] for c in cell])),
            surface=torch.tensor([surfaces.NAMES.index(clip.scene.surface) for clip in clips]),
            cell_motion=torch.from_numpy(np.stack([motion_targets(clip, shots, grid) for clip in clips])),
            pack=self._packer.pack_clips(rng, clips, shots, grid, self.tokens),
        )


def random_shots(rng: np.random.Generator) -> Shots:
    """Mostly as calls look at clips; half of these end as the next frame would be due, as pictures with times do."""
    fps = FPS if rng.random() < 0.8 else float(rng.uniform(3, 5))
    duration = float(rng.uniform(SHORTEST, LONGEST))
    return Shots(round(duration * fps) / fps if rng.random() < 0.5 else duration, fps)


def _seen(clip: Clip, shots: Shots, width: int, height: int, grid: tuple[int, int]) -> np.ndarray:
    """The frames as the model sees them, uint8 [T, H, W, 3], an even number of them."""
    size = (grid[1] * CELL, grid[0] * CELL)
    scale = min(1.0, 1.2 * math.sqrt(size[0] * size[1] / (width * height)))
    pictures = frames(clip, shots.times, max(32, round(width * scale)), max(32, round(height * scale)))
    seen = [np.asarray(picture.resize(size, Image.Resampling.BICUBIC)) for picture in pictures]
    return np.stack([*seen, *seen[-1:] * (len(seen) % 2)])


class ClipPacker(Packer):
    """Questions about each clip into rows of tokens."""

    def pack_clips(
        self, rng: np.random.Generator, clips: list[Clip], shots: Shots, grid: tuple[int, int], limit: int
    ) -> Pack:
        """As ``pack``; ``looks`` are over the cells of all temporal patches."""
        cells = len(shots.pairs) * grid[0] * grid[1]
        video = self.tokenizer.token_to_id("<|video_pad|>")
        prefix = [*self.head, *[video] * cells, *self.ids("<|vision_end|>")]
        runs = [(len(shots.pairs), grid[0] * MERGE, grid[1] * MERGE)]
        place = clip_positions(prefix, video, runs, MERGE, TOKENS_PER_SECOND * shots.seconds_per_grid)
        rows = [self._clip_row(rng, clip, shots, grid, limit - len(prefix)) for clip in clips]
        return self.lay_out(prefix, torch.from_numpy(place), rows, cells)

    def _clip_row(self, rng: np.random.Generator, clip: Clip, shots: Shots, grid: tuple[int, int], room: int) -> Row:
        """As many questions as fit."""
        row, gaze = Row(), ClipGaze(clip, shots, grid)
        for question, cot in _questions(rng, clip):
            asked = self.tokenizer.encode(f"{question.prompt}<|im_end|>\n<|im_start|>assistant\n")
            text = wire.answer_text(question, cot, (grid[1] * CELL, grid[0] * CELL))
            told = self.tokenizer.encode(f"{text}<|im_end|>")
            if len(row.ids) + len(asked.ids) + len(told.ids) <= room:
                none = np.full((len(told), 4), -1)
                row.add(
                    asked.ids,
                    told.ids,
                    gaze.of_prompt(question.prompt, asked.offsets),
                    gaze.of_answer(question.prompt, text, told.offsets),
                    none,
                    none[:, 0],
                    points(question, text, asked.offsets, told.offsets),
                    answer_weights(text, told.offsets),
                )
        return row


def _questions(rng: np.random.Generator, clip: Clip) -> list[tuple[Question, bool]]:
    kinds = [str(kind) for kind in rng.choice(list(CLIP_MIX), 3 * _QUESTIONS, p=list(CLIP_MIX.values()))]
    asked = [question for kind in kinds if (question := clip_question(rng, clip, kind)) is not None]
    return [(question, bool(rng.random() < 0.08)) for question in asked[:_QUESTIONS]]
