"""A real small transformer in numpy: run at once over a whole text, or by blocks of a cache as a paged runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from vi.inference.engine.batch import Batch

LAYERS, HEADS, WIDTH = 2, 2, 24
SPECIAL = ["<end>", "<picture>", "<pad>"]
END, PICTURE, PAD = range(3)
CORPUS = ['{"answer":"a bolt"}', "How many bolts are there?", "two red nuts, one washer", "yes no none"] * 4


@cache
def vocabulary_facts() -> Any:
    """What ``Vocabulary`` reads of a loaded model: a tokenizer of bytes and a few longer tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, initial_alphabet=alphabet, special_tokens=SPECIAL, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    return SimpleNamespace(
        tokenizer=tokenizer,
        vocab_size=tokenizer.get_vocab_size() + 2,
        eos_token_ids=(END,),
        media_token_ids=(PICTURE, PAD),
    )


class NumpyModel:
    """Random weights in float64, so that the order of additions does not change a token."""

    def __init__(self, vocab_size: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.embedding = rng.normal(size=(vocab_size, WIDTH))
        self.layers = [rng.normal(size=(6, WIDTH, WIDTH)) / WIDTH**0.5 for _ in range(LAYERS)]  # q, k, v, o, up, down
        self.head = rng.normal(size=(WIDTH, vocab_size)) * 1.5
        self.frequency = rng.uniform(0.02, 1.5, size=(3, WIDTH))

    def embed(self, token_ids: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """[T], [3, T] -> [T, W]."""
        return self.embedding[token_ids] + np.cos(np.einsum("at,aw->tw", positions, self.frequency))

    def encode(self, pixels: np.ndarray) -> np.ndarray:
        """[n, W] -> as many features."""
        return np.tanh(pixels) * 3

    def attend(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, past: int) -> np.ndarray:
        """Causal attention of T tokens behind ``past`` others. q: [T, W]; k, v: [past + T, W]."""
        size = WIDTH // HEADS
        q, k, v = (x.reshape(len(x), HEADS, size).swapaxes(0, 1) for x in (q, k, v))
        scores = q @ k.swapaxes(1, 2) / size**0.5
        hidden = np.arange(k.shape[1])[None] > np.arange(q.shape[1])[:, None] + past
        scores = np.where(hidden, -np.inf, scores)
        share = np.exp(scores - scores.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        return (share @ v).swapaxes(0, 1).reshape(-1, WIDTH)

    def finish(self, layer: int, h: np.ndarray, attended: np.ndarray) -> np.ndarray:
        *_, o, up, down = self.layers[layer]
        h = _norm(h + attended @ o)
        return _norm(h + np.maximum(h @ up, 0) @ down)

    def logits(self, token_ids: Any, positions: np.ndarray, features: Mapping[int, np.ndarray]) -> np.ndarray:
        """A whole text at once, without any cache: [S, V]."""
        h = self.embed(np.asarray(token_ids), positions)
        for place, feature in features.items():
            h[place] = feature
        for layer, (query, key, value, *_) in enumerate(self.layers):
            h = self.finish(layer, h, self.attend(h @ query, h @ key, h @ value, 0))
        return h @ self.head


class NumpyRunner:
    """The paged runner of a ``NumpyModel``. Whatever the tables do not point to is poison."""

    block_bytes = 0
    encodes_beside = True
    precision = "exact"

    def __init__(self, model: NumpyModel, num_blocks: int, block_size: int) -> None:
        self.model, self.num_blocks, self.block_size = model, num_blocks, block_size
        self.cache = np.full((LAYERS, 2, num_blocks * block_size, WIDTH), np.nan)
        self.encoded = 0
        self.steps: list[list[int]] = []  # new tokens of each row, step by step
        self.closed = False

    def encode(self, media: Mapping[str, Any]) -> np.ndarray:
        self.encoded += 1
        return self.model.encode(media["pixels"])

    def run(self, batch: Batch, meanwhile: Callable[[], None] | None = None) -> np.ndarray:
        check(batch, self.block_size, self.num_blocks)
        if meanwhile is not None:
            meanwhile()
        self.steps.append(np.diff(batch.begins).tolist())
        h = self.model.embed(batch.token_ids, batch.positions)
        for place, features in batch.features:
            h[place : place + len(features)] = features
        rows = [self.row(batch, b) for b in range(len(batch.past_lens))]
        for layer, (query, key, value, *_) in enumerate(self.model.layers):
            q, k, v = h @ query, h @ key, h @ value
            attended = np.empty_like(h)
            for new, past, slots in rows:
                self.cache[layer, 0, slots[past:]], self.cache[layer, 1, slots[past:]] = k[new], v[new]
                attended[new] = self.model.attend(q[new], *self.cache[layer][:, slots], past)
            h = self.model.finish(layer, h, attended)
        return h[batch.wanted] @ self.model.head

    def row(self, batch: Batch, b: int) -> tuple[slice, int, np.ndarray]:
        """Row b's new tokens, how many came before, and where in the cache all of them lie."""
        new = slice(int(batch.begins[b]), int(batch.begins[b + 1]))
        past = int(batch.past_lens[b])
        blocks = batch.block_indices[batch.block_begins[b] : batch.block_begins[b + 1]]
        slots = (blocks[:, None] * self.block_size + np.arange(self.block_size)).reshape(-1)
        return new, past, slots[: past + new.stop - new.start]

    def copy_block(self, source: int, target: int) -> None:
        blocks = self.cache.reshape(LAYERS, 2, self.num_blocks, self.block_size, WIDTH)
        blocks[:, :, target] = blocks[:, :, source]

    def close(self) -> None:
        self.closed = True


def check(batch: Batch, block_size: int, num_blocks: int) -> None:
    """What every batch promises; and no block that a row writes into belongs to another row."""
    kinds = [batch.token_ids, batch.positions, batch.begins, batch.past_lens, batch.block_indices, batch.block_begins]
    assert [kind.dtype.name for kind in [*kinds, batch.wanted]] == ["int64"] * 2 + ["int32"] * 4 + ["int64"]
    lengths = batch.past_lens + np.diff(batch.begins)
    assert (np.diff(batch.begins) > 0).all()
    assert batch.begins[-1] == len(batch.token_ids) == batch.positions.shape[1]
    assert (np.diff(batch.block_begins) == -(-lengths // block_size)).all()
    assert ((batch.block_indices >= 0) & (batch.block_indices < num_blocks)).all()
    written = [
        batch.block_indices[batch.block_begins[b] + past // block_size : batch.block_begins[b + 1]]
        for b, past in enumerate(batch.past_lens)
    ]
    for b, blocks in enumerate(written):
        others = [
            batch.block_indices[batch.block_begins[c] : batch.block_begins[c + 1]]
            for c in range(len(written))
            if c != b
        ]
        assert not np.isin(blocks, np.concatenate([np.zeros(0, dtype=np.int32), *others])).any()


def _norm(h: np.ndarray) -> np.ndarray:
    return h / np.sqrt((h * h).mean(-1, keepdims=True) + 1e-6)
