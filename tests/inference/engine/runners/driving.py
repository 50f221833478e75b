"""Drives a paged runner as an engine would, with the least that does it, and asks transformers for the same."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from vi.inference.engine.batch import Batch
from vi.inference.preprocess.prompt import Prompt


@dataclass(eq=False)
class Row:
    """A request: its prompt, what it generates, and its blocks. chunk: most tokens of prompt it reads a step."""

    prompt: Prompt
    num_tokens: int
    chunk: int = 1 << 30
    join: int = 0
    features: Any = None
    blocks: list[int] = field(default_factory=list)
    num_cached: int = 0
    token_ids: list[int] = field(default_factory=list)
    logits: list[torch.Tensor] = field(default_factory=list)

    @property
    def text(self) -> list[int]:
        return self.prompt.token_ids + self.token_ids

    @property
    def num_new(self) -> int:
        return min(len(self.text) - self.num_cached, self.chunk)


class Driver:
    """Runs rows to their end, greedily; blocks are handed out in no order and at once again when a row leaves."""

    def __init__(self, runner: Any) -> None:
        self.runner = runner
        self.free = list(range(runner.num_blocks))
        random.Random(0).shuffle(self.free)

    def run(self, rows: list[Row]) -> list[list[int]]:
        """The tokens of each row, which joins at its step and leaves when it has them all."""
        step = 0
        while waiting := [row for row in rows if len(row.token_ids) < row.num_tokens]:
            if active := [row for row in waiting if row.join <= step]:
                self.step(active)
            step += 1
        return [row.token_ids for row in rows]

    def step(self, rows: list[Row]) -> None:
        """One forward call over all rows."""
        for row in rows:
            if row.features is None and row.prompt.media:
                row.features = self.runner.encode(row.prompt.media)
            while len(row.blocks) * self.runner.block_size < row.num_cached + row.num_new:
                row.blocks.append(self.free.pop())
        batch = make_batch(rows)
        logits = torch.as_tensor(self.runner.run(batch)).clone()
        complete = [row for row in rows if row.num_cached + row.num_new == len(row.text)]
        for row in rows:
            row.num_cached += row.num_new
        for row, of_row in zip(complete, logits, strict=True):
            row.logits.append(of_row)
            row.token_ids.append(int(of_row.argmax()))
            if len(row.token_ids) == row.num_tokens:
                self.free += row.blocks
                row.blocks = []


def make_batch(rows: list[Row]) -> Batch:
    """The rows' next tokens, laid end to end."""
    news = [row.num_new for row in rows]
    begins = np.cumsum([0, *news])
    ends = [row.num_cached + new for row, new in zip(rows, news, strict=True)]
    return Batch(
        token_ids=np.concatenate([row.text[row.num_cached : end] for row, end in zip(rows, ends, strict=True)]),
        positions=np.concatenate(
            [positions(row)[:, row.num_cached : end] for row, end in zip(rows, ends, strict=True)], 1
        ),
        begins=begins.astype(np.int32),
        past_lens=np.array([row.num_cached for row in rows], np.int32),
        block_indices=np.concatenate([row.blocks for row in rows]).astype(np.int32),
        block_begins=np.cumsum([0, *(len(row.blocks) for row in rows)]).astype(np.int32),
        wanted=np.array([begins[i + 1] - 1 for i, row in enumerate(rows) if ends[i] == len(row.text)], np.int64),
        features=[piece for begin, row in zip(begins, rows, strict=False) for piece in pieces(row, int(begin))],
    )


def positions(row: Row) -> np.ndarray:
    """[A, S] of the prompt and what was generated."""
    assert row.prompt.positions is not None
    ahead = np.arange(len(row.token_ids)) + row.prompt.next_position
    return np.concatenate([row.prompt.positions, np.tile(ahead, (len(row.prompt.positions), 1))], axis=1)


def pieces(row: Row, begin: int) -> list[tuple[int, Any]]:
    """(place in T, features) of each run of placeholders among the row's next tokens."""
    is_picture = np.array(row.prompt.token_ids) == row.prompt.placeholder_id
    order = np.cumsum(is_picture) - 1
    places = np.flatnonzero(is_picture)
    places = places[(places >= row.num_cached) & (places < row.num_cached + row.num_new)]
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(places) else []
    first = begin - row.num_cached
    return [(first + int(run[0]), row.features[int(order[run[0]]) : int(order[run[-1]]) + 1]) for run in runs]


def generate(oracle: Any, prompt: Prompt, num_tokens: int, **more: torch.Tensor) -> list[int]:
    """What transformers' ``generate`` appends greedily to the prompt alone."""
    ids = torch.tensor([prompt.token_ids])
    media = {name: torch.as_tensor(array) for name, array in prompt.media.items()}
    if "image_grid_thw" in media:
        media["mm_token_type_ids"] = (ids == prompt.placeholder_id).int()
    seen = torch.ones_like(ids)  # else it takes a prompt's first token for padding where both have one id
    output = oracle.generate(
        input_ids=ids, attention_mask=seen, do_sample=False, max_new_tokens=num_tokens, **media, **more
    )
    return output[0, ids.shape[1] :].tolist()
