"""One picture's questions in one row of tokens.

A pack is one picture's prompt prefix followed by several questions with their answers. Each question attends to the
prefix and to itself only, and counts its positions from the prefix's end: the model sees what it will see alone.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer

from training.workbench import wire
from training.workbench.grids import CELL
from training.workbench.looks import Gaze, Span
from training.workbench.points import CHANNELS, points
from training.workbench.question import Question
from training.workbench.questions import MIX, grounding, random_question
from training.workbench.scenes import Scene

_FORM = re.compile(r'\{"\w+":\{"\w+":"|(?<=")(?:groundings|phrase|grounding)":["\[]*')
FORM_WEIGHT = 0.2  # of a token of the JSON, where one of the answer's words has 1


@dataclass
class Pack:
    """One row a picture. ids [B, T]; segments [B, T]: 0 in the prefix, 1.. per question, -1 in padding;

    positions [3, B, T]; labels [B, T], -100 outside answers; weights [B, T]: what a label counts;
    looks: bool [B, T, N / 4], the picture's cells where a token's state should look, none where that is open;
    edges: [B, T, 4], those of the box that the next token is part of, -1 outside boxes;
    turns: [B, T], whose turn it is in a list of parts, -1 elsewhere;
    points: [B, T, CHANNELS], the tokens of this row where a token's state should point (``points.py``), -1 where open;
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
    points: torch.Tensor
    image_start: int


class Row:
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
        self.points: list[np.ndarray] = []

    def add(
        self,
        asked: list[int],
        told: list[int],
        prompt_looks: np.ndarray,
        answer_looks: np.ndarray,
        edges: np.ndarray,
        turns: np.ndarray,
        points: np.ndarray,
        weights: list[float],
    ) -> None:
        start, length = len(self.ids), len(asked) + len(told)
        self.segments += [self.segments[-1] + 1 if self.segments else 1] * length
        self.ids += asked + told
        self.offsets += range(length)
        self.labels += [-100] * len(asked) + told
        self.weights += [0.0] * len(asked) + weights
        # a token is chosen by the state before it
        self.looks += [prompt_looks[:-1], answer_looks, np.zeros_like(prompt_looks[:1])]
        nowhere = np.full((len(asked), 4), -1)
        self.edges += [nowhere[:-1], edges, nowhere[:1]]
        self.turns += [nowhere[:-1, 0], turns, nowhere[:1, 0]]
        points = np.where(points >= 0, points + start, -1)
        self.points += [nowhere[:-1, :CHANNELS], points, nowhere[:1, :CHANNELS]]


def answer_weights(text: str, offsets: list[Span]) -> list[float]:
    """What each token of an answer counts: all as the root of their number, words more than the JSON around them.

    A list of boxes has thirty times the tokens of a count, and must not drown it; the JSON is soon known by heart.
    """
    form = np.zeros(len(offsets), bool)
    starts, ends = np.array(offsets).T
    for found in _FORM.finditer(text):
        form |= (starts >= found.start()) & (ends <= found.end())
    weights = np.where(form, FORM_WEIGHT, 1.0)
    return (weights * math.sqrt(len(offsets)) / weights.sum()).tolist()


class Packer:
    """Questions about each picture into rows of tokens."""

    def __init__(self, tokenizer_file: str) -> None:
        self.tokenizer = Tokenizer.from_file(tokenizer_file)
        self.pad = self.tokenizer.token_to_id("<|endoftext|>")
        self.image = self.tokenizer.token_to_id("<|image_pad|>")
        self.head = self.ids(f"<|im_start|>system\n{wire.SYSTEM_PROMPT}<|im_end|>\n<|im_start|>user\n<|vision_start|>")

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text).ids

    def pack(self, rng: np.random.Generator, scenes: list[Scene], grid: tuple[int, int], limit: int) -> Pack:
        """Rows of at most ``limit`` tokens."""
        cells = grid[0] * grid[1]
        prefix = [*self.head, *[self.image] * cells, *self.ids("<|vision_end|>")]
        place = self._prefix_positions(len(prefix), grid)  # [3, P]
        rows = [self._row(rng, scene, grid, limit - len(prefix)) for scene in scenes]
        return self.lay_out(prefix, place, rows, cells)

    def lay_out(self, prefix: list[int], place: torch.Tensor, rows: list[Row], cells: int) -> Pack:
        """Rows behind one prefix whose positions are ``place`` [3, P], padded to one width."""
        width = -(-(len(prefix) + max(len(r.ids) for r in rows)) // 32) * 32  # few widths: allocators like it
        size = len(rows)
        pack = Pack(
            ids=torch.full((size, width), self.pad),
            segments=torch.full((size, width), -1),
            positions=torch.zeros(3, size, width, dtype=torch.long),
            labels=torch.full((size, width), -100),
            weights=torch.zeros(size, width),
            looks=torch.zeros(size, width, cells, dtype=torch.bool),
            edges=torch.full((size, width, 4), -1),
            turns=torch.full((size, width), -1),
            points=torch.full((size, width, CHANNELS), -1),
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
            at = torch.from_numpy(np.concatenate(row.points))
            pack.points[i, len(prefix) : end] = torch.where(at >= 0, at + len(prefix), -1)
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

    def _row(self, rng: np.random.Generator, scene: Scene, grid: tuple[int, int], room: int) -> Row:
        """As many questions as fit."""
        row = Row()
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
                at = points(question, text, asked.offsets, told.offsets)
                row.add(
                    asked.ids,
                    told.ids,
                    *looks,
                    gaze.edges(text, told.offsets),
                    gaze.turns(text, told.offsets),
                    at,
                    answer_weights(text, told.offsets),
                )
        return row

    def _questions(self, rng: np.random.Generator, scene: Scene) -> list[tuple[Question, bool]]:
        kinds = [str(k) for k in rng.choice(list(MIX), 14, p=list(MIX.values()))]
        asked = [(random_question(rng, scene, k), rng.random() < 0.08) for k in kinds]
        found: list[tuple[Question, bool]] = [(q, bool(cot)) for q, cot in asked if q is not None]
        return [(grounding(rng, scene), bool(rng.random() < 0.04)), *found]
