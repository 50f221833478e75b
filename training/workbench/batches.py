"""Pictures and token packs for training, drawn by worker processes from (seed, step) alone, so that it can resume.

A pack is one picture's prompt prefix followed by several questions with their answers. Each question attends to the
prefix and to itself only, and counts its positions from the prefix's end: the model sees what it will see alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch.utils.data import DataLoader, Dataset

from training.workbench import surfaces, tell, wire
from training.workbench.looks import Gaze
from training.workbench.parts import COLOURS, KINDS, extent
from training.workbench.questions import MIX, Question, grounding, random_question
from training.workbench.scenes import SIZES, Part, Scene, draw, random_scene, random_size

PATCH, MERGE = 16, 2
CELL = PATCH * MERGE  # pixels a language token covers, each way
PIXELS = 224 * 224  # the picture's area as the model sees it (min_pixels = max_pixels)
_COLOURS, _SIZES = list(COLOURS), list(SIZES)


@dataclass
class Pack:
    """One row a picture. ids [B, T]; segments [B, T]: 0 in the prefix, 1.. per question, -1 in padding;

    positions [3, B, T]; labels [B, T], -100 outside answers; weights [B, T]: what a label counts;
    looks: bool [B, T, N / 4], the picture's cells where a token's state should look, none where that is open;
    edges: [B, T, 4], those of the box that the next token is part of, -1 outside boxes;
    turns: [B, T], whose turn it is in a list of parts, -1 elsewhere;
    image_start: where the picture's cells begin.
    """

    ids: torch.Tensor
    segments: torch.Tensor
    positions: torch.Tensor
    labels: torch.Tensor
    weights: torch.Tensor
    looks: torch.Tensor
    edges: torch.Tensor
    turns: torch.Tensor
    image_start: int


@dataclass
class Batch:
    """pictures: uint8 [B, H, W, 3]. patch_* and cell_*: dense targets, class -1 where there is no part.

    turn: when a part's name comes in a list of all, from 0; a token that names the third thing has to find it.
    patch_box, cell_box: box edges less the patch's or cell's centre, fractions x 8. pack: None in the first phase.
    """

    pictures: torch.Tensor
    patch_class: torch.Tensor  # [B, N, 4] kind, colour, size, turn
    patch_box: torch.Tensor  # [B, N, 4]
    cell_class: torch.Tensor  # [B, N / 4, 4]
    cell_box: torch.Tensor
    surface: torch.Tensor  # [B]
    pack: Pack | None = None


def grid_for(width: int, height: int) -> tuple[int, int]:
    """(rows, columns) of cells that the picture is resized to: transformers' ``smart_resize`` at the fixed area."""
    rows, columns = round(height / CELL) * CELL, round(width / CELL) * CELL
    scale = math.sqrt(height * width / PIXELS)
    if rows * columns > PIXELS:
        rows = max(CELL, math.floor(height / scale / CELL) * CELL)
        columns = max(CELL, math.floor(width / scale / CELL) * CELL)
    elif rows * columns < PIXELS:
        rows = math.ceil(height / scale / CELL) * CELL
        columns = math.ceil(width / scale / CELL) * CELL
    return rows // CELL, columns // CELL


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


def loader(seed: int, size: int, tokenizer_file: str | None, start: int, steps: int, workers: int) -> DataLoader:
    """Batches ``start`` to ``steps`` of the series in order, drawn ahead by worker processes."""
    return DataLoader(
        Batches(seed, size, tokenizer_file, steps), sampler=range(start, steps), batch_size=None, num_workers=workers,
        prefetch_factor=4 if workers else None, worker_init_fn=lambda _: torch.set_num_threads(1),
    )  # fmt: skip


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


def dense_targets(
    scene: Scene, grid: tuple[int, int]
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """((classes [N, 4], boxes [N, 4]) per patch, the same per cell [N / 4]), in the model's order of patches."""
    rows, columns = grid
    cell_y, cell_x = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    cells = np.stack([(cell_x.ravel() + 0.5) / columns, (cell_y.ravel() + 0.5) / rows], -1)  # [N / 4, 2]
    inside = np.array([(dx, dy) for dy in (-0.25, 0.25) for dx in (-0.25, 0.25)]) / (columns, rows)
    patches = (cells[:, None] + inside[None]).reshape(-1, 2)  # [N, 2]
    patch_of, cell_of = np.full(len(patches), -1), np.full(len(cells), -1)
    for index, part in enumerate(scene.parts):  # later parts lie on top
        patch_of[_covers(scene, part, patches)] = index
        cell_of[min(rows - 1, int(part.y * rows)) * columns + min(columns - 1, int(part.x * columns))] = index
    return _targets(scene, patches, patch_of), _targets(scene, cells, cell_of)


def _covers(scene: Scene, part: Part, points: np.ndarray) -> np.ndarray:
    """Which points [N, 2] the part's own turned rectangle holds."""
    stretch = math.sqrt(scene.aspect)
    offset = (points - (part.x, part.y)) * (stretch, 1 / stretch / scene.tilt) / part.radius
    cos, sin = math.cos(part.angle), math.sin(part.angle)
    along, across = offset[:, 0] * cos + offset[:, 1] * sin, -offset[:, 0] * sin + offset[:, 1] * cos
    left, top, right, bottom = extent(part.kind, 0.0)
    slack = 0.25 / (part.radius * 14)  # a quarter of a patch
    return (along > left - slack) & (along < right + slack) & (across > top - slack) & (across < bottom + slack)


def _targets(scene: Scene, points: np.ndarray, part_of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turns = {id(part): turn for turn, group in enumerate(tell.groups(scene.parts)) for part in group}
    table = [(KINDS.index(p.kind), _COLOURS.index(p.colour), _SIZES.index(p.size), turns[id(p)]) for p in scene.parts]
    classes = np.array([*table, (-1, -1, -1, -1)], np.int64)[part_of]  # -1 takes the last row
    boxes = np.array([*(scene.box(p) for p in scene.parts), (0, 0, 0, 0)], np.float32)[part_of]
    return classes, ((boxes - np.tile(points, 2)) * 8).astype(np.float32)


class _Row:
    """One picture's questions; see ``Pack``. offsets: positions from the prefix's end."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.segments: list[int] = []
        self.offsets: list[int] = []
        self.labels: list[int] = []
        self.weights: list[float] = []
        self.looks: list[np.ndarray] = []
        self.edges: list[np.ndarray] = []
        self.turns: list[np.ndarray] = []

    def add(
        self,
        asked: list[int],
        told: list[int],
        prompt_looks: np.ndarray,
        answer_looks: np.ndarray,
        edges: np.ndarray,
        turns: np.ndarray,
    ) -> None:
        length = len(asked) + len(told)
        self.segments += [self.segments[-1] + 1 if self.segments else 1] * length
        self.ids += asked + told
        self.offsets += range(length)
        self.labels += [-100] * len(asked) + told
        # a list of boxes has thirty times the tokens of a count, and must not drown it
        self.weights += [0.0] * len(asked) + [1 / math.sqrt(len(told))] * len(told)
        # a token is chosen by the state before it
        self.looks += [prompt_looks[:-1], answer_looks, np.zeros_like(prompt_looks[:1])]
        nowhere = np.full((len(asked), 4), -1)
        self.edges += [nowhere[:-1], edges, nowhere[:1]]
        self.turns += [nowhere[:-1, 0], turns, nowhere[:1, 0]]


class Packer:
    """Questions about each picture into rows of tokens."""

    def __init__(self, tokenizer_file: str) -> None:
        self.tokenizer = Tokenizer.from_file(tokenizer_file)
        self.pad = self.tokenizer.token_to_id("<|endoftext|>")
        self.image = self.tokenizer.token_to_id("<|image_pad|>")
        self.head = self._ids(f"<|im_start|>system\n{wire.SYSTEM_PROMPT}<|im_end|>\n<|im_start|>user\n<|vision_start|>")

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def pack(self, rng: np.random.Generator, scenes: list[Scene], grid: tuple[int, int], limit: int) -> Pack:
        """Rows of at most ``limit`` tokens, padded to one width."""
        cells = grid[0] * grid[1]
        prefix = [*self.head, *[self.image] * cells, *self._ids("<|vision_end|>")]
        place = self._prefix_positions(len(prefix), grid)  # [3, P]
        rows = [self._row(rng, scene, grid, limit - len(prefix)) for scene in scenes]
        width = -(-(len(prefix) + max(len(r.ids) for r in rows)) // 32) * 32  # few widths: allocators like it
        size = len(scenes)
        pack = Pack(
            ids=torch.full((size, width), self.pad),
            segments=torch.full((size, width), -1),
            positions=torch.zeros(3, size, width, dtype=torch.long),
            labels=torch.full((size, width), -100),
            weights=torch.zeros(size, width),
            looks=torch.zeros(size, width, cells, dtype=torch.bool),
            edges=torch.full((size, width, 4), -1),
            turns=torch.full((size, width), -1),
            image_start=len(self.head),
        )
        for i, row in enumerate(rows):
            end = len(prefix) + len(row.ids)
            pack.ids[i, :end] = torch.tensor(prefix + row.ids)
            pack.segments[i, :end] = torch.tensor([0] * len(prefix) + row.segments)
            pack.positions[:, i, : len(prefix)] = place
            pack.positions[:, i, len(prefix) : end] = torch.tensor(row.offsets) + int(place.max()) + 1
            pack.labels[i, len(prefix) : end] = torch.tensor(row.labels)
            pack.weights[i, len(prefix) : end] = torch.tensor(row.weights)
            pack.looks[i, len(prefix) : end] = torch.from_numpy(np.concatenate(row.looks))
            pack.edges[i, len(prefix) : end] = torch.from_numpy(np.concatenate(row.edges))
            pack.turns[i, len(prefix) : end] = torch.from_numpy(np.concatenate(row.turns))
        return pack

    def _prefix_positions(self, length: int, grid: tuple[int, int]) -> torch.Tensor:
        """M-RoPE positions [3, P] of text, picture, text, as ``get_rope_index`` gives them."""
        start, (rows, columns) = len(self.head), grid
        positions = torch.arange(length).repeat(3, 1)
        cells = rows * columns
        positions[0, start : start + cells] = start
        positions[1, start : start + cells] = start + torch.arange(rows).repeat_interleave(columns)
        positions[2, start : start + cells] = start + torch.arange(columns).repeat(rows)
        positions[:, start + cells :] = start + max(rows, columns) + torch.arange(length - start - cells)
        return positions

    def _row(self, rng: np.random.Generator, scene: Scene, grid: tuple[int, int], room: int) -> _Row:
        """As many questions as fit."""
        row = _Row()
        seen = (grid[1] * CELL, grid[0] * CELL)
        gaze = Gaze(scene, grid, seen)
        for question, cot in self._questions(rng, scene):
            asked = self.tokenizer.encode(f"{question.prompt}<|im_end|>\n<|im_start|>assistant\n")
            text = wire.answer_text(question, cot, seen)
            told = self.tokenizer.encode(f"{text}<|im_end|>")
            if len(row.ids) + len(asked.ids) + len(told.ids) <= room:
                looks = (
                    gaze.of_prompt(question.prompt, asked.offsets),
                    gaze.of_answer(text, question.think, told.offsets),
                )
                row.add(asked.ids, told.ids, *looks, gaze.edges(text, told.offsets), gaze.turns(text, told.offsets))
        return row

    def _questions(self, rng: np.random.Generator, scene: Scene) -> list[tuple[Question, bool]]:
        kinds = [str(k) for k in rng.choice(list(MIX), 14, p=list(MIX.values()))]
        asked = [(random_question(rng, scene, k), rng.random() < 0.08) for k in kinds]
        found: list[tuple[Question, bool]] = [(q, bool(cot)) for q, cot in asked if q is not None]
        return [(grounding(rng, scene), bool(rng.random() < 0.04)), *found]
