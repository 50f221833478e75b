"""One request's place in the cache of keys and values: its tokens, its blocks, and the keys to find them by."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from uuid import uuid4

import numpy as np

from vi.inference.engine.block_manager import Contents
from vi.inference.engine.sequence import Sequence
from vi.inference.preprocess.prompt import Prompt

ROOT = bytes(32)  # the key of no tokens at all


class BlockTable:
    """The tokens of one request, how many of them are computed, and the blocks that hold their keys and values.

    token_ids: the prompt's and what was generated since. num_computed: how many have their keys and values in the
    cache. owed: places whose logits are wanted for what they say of the next token, which is known already. closed:
    whether nothing is to be chosen after the last token. blocks: int32, block i is for tokens ``i * block_size`` on.
    runs: (first place, place after, first feature) of each unbroken run of picture places in the prompt.
    """

    def __init__(self, prompt: Prompt, block_size: int) -> None:
        self.prompt = prompt
        self.block_size = block_size
        self.num_prompt = len(prompt.token_ids)
        self.next_position = prompt.next_position
        self.token_ids = list(prompt.token_ids)
        self.num_computed = 0
        self.owed: list[int] = []  # ascending
        self.closed = False
        self.blocks = array("i")
        self.runs = _runs(prompt)
        self._keys: list[bytes] = []
        self._media_key = prompt.media_key or uuid4().bytes  # pictures of which nothing is known are like no others

    @property
    def num_pending(self) -> int:
        """How many tokens are still to be computed; one where the last token was just chosen."""
        return len(self.token_ids) - self.num_computed

    @property
    def decoding(self) -> bool:
        """Whether what is to be computed was generated, all of it."""
        return self.num_computed >= self.num_prompt

    def key(self, block: int) -> bytes:
        """What the ``block``-th full block holds, and all before it: a hash chain over token ids and pictures.

        A block with places of pictures counts the digest of all the prompt's pictures in, so that what comes after is
        found only behind the same pictures.
        """
        while len(self._keys) <= block:
            self._keys.append(self._next_key(len(self._keys)))
        return self._keys[block]

    def key_before(self, block: int) -> bytes:
        """What all blocks before this one hold."""
        return self.key(block - 1) if block else ROOT

    @property
    def sharable(self) -> int:
        """How many tokens another request may have computed; what logits are wanted of is left out."""
        return min([len(self.token_ids) - 1, *self.owed[:1]])

    def sharable_keys(self) -> list[bytes]:
        """Keys of the full blocks that another request may have computed."""
        return [self.key(block) for block in range(self.sharable // self.block_size)]

    def contents(self, block: int, end: int) -> Contents:
        """What a block holds of the tokens before place ``end``."""
        start = block * self.block_size
        stop = min(start + self.block_size, end)
        places = (max(first - start, 0) for first, after, _ in self.runs if first < stop and start < after)
        return Contents(self.token_ids[start:stop], next(places, stop - start), self._media_key)

    def pictured_after(self, place: int) -> bool:
        """Whether there are places of pictures from this place on."""
        return bool(self.runs) and self.runs[-1][1] > place

    def owed_within(self, start: int, end: int) -> list[int]:
        return self.owed[bisect_left(self.owed, start) : bisect_left(self.owed, end)]

    def follow(self, sequence: Sequence) -> bool:
        """Take over what was generated since; True where it has ended and the device has nothing more to say of it."""
        known = len(self.token_ids) - self.num_prompt
        self.token_ids += sequence.token_ids[known:]
        self.owed = [self.num_prompt + place - 1 for place in sequence.unreported]  # logits are about the next token
        self.closed = sequence.finish_reason is not None
        return self.closed and not self.owed

    def forget(self) -> None:
        """Begin anew, without blocks."""
        self.num_computed = 0
        self.blocks = array("i")

    def _next_key(self, block: int) -> bytes:
        start = block * self.block_size
        stop = start + self.block_size
        digest = hashlib.blake2b(self.key_before(block), digest_size=32)
        digest.update(array("q", self.token_ids[start:stop]))
        if any(first < stop and start < after for first, after, _ in self.runs):
            digest.update(self._media_key)
        return digest.digest()


def _runs(prompt: Prompt) -> list[tuple[int, int, int]]:
    if not prompt.media:
        return []
    places = np.flatnonzero(np.asarray(prompt.token_ids) == prompt.placeholder_id)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > 1) + 1
    starts = [0, *breaks.tolist()]
    ends = [*breaks.tolist(), len(places)]
    return [(int(places[i]), int(places[j - 1]) + 1, i) for i, j in zip(starts, ends, strict=True)]
