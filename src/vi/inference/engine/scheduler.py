"""Which requests compute which of their tokens next: first come, first served, within blocks and a budget of tokens."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from vi.inference.engine.block_manager import BlockManager
from vi.inference.engine.block_table import BlockTable
from vi.inference.errors import InferenceError


@dataclass
class Chunk:
    """The next tokens of one request to compute: ``token_ids[start:end]``."""

    table: BlockTable
    start: int
    end: int

    @property
    def complete(self) -> bool:
        """Whether a token is to be chosen after it: nothing of the request remains to be computed."""
        return self.end == len(self.table.token_ids) and not self.table.closed

    @cached_property
    def wanted(self) -> list[int]:
        """The places whose logits are needed, those that are owed and then the last one of a complete chunk."""
        owed = self.table.owed_within(self.start, self.end) if self.table.owed else []
        return [*owed, self.end - 1] if self.complete else owed


class Found(NamedTuple):
    """What of a request is in the cache: its first full blocks, and of what follows ``slots`` tokens in ``block``."""

    blocks: list[int]
    block: int = -1
    slots: int = 0


def num_tokens(chunks: Iterable[Chunk]) -> int:
    return sum(chunk.end - chunk.start for chunk in chunks)


def halved(chunks: Sequence[Chunk], within_a_request: bool) -> list[Sequence[Chunk]]:
    """The same tokens in two parts, the second to be computed after the first; nothing where they cannot be parted.

    within_a_request: whether the tokens of a single request may be parted too.
    """
    if len(chunks) > 1:
        middle = len(chunks) // 2
        return [chunks[:middle], chunks[middle:]]
    (chunk,) = chunks
    if not within_a_request or chunk.end - chunk.start < 2:
        return []
    middle = (chunk.start + chunk.end) // 2
    return [[Chunk(chunk.table, chunk.start, middle)], [Chunk(chunk.table, middle, chunk.end)]]


class Scheduler:
    """Waiting and running requests. It knows neither a device nor what a request is about.

    Requests run in the order of their arrival, up to ``max_batch`` at once. A step computes at most ``token_budget``
    tokens: first those of requests that decode, then prompts, in chunks; so no decoding request ever waits longer
    than one chunk. A request is admitted when the cache has blocks for all of its prompt. When blocks run out, the
    youngest gives its own back and is computed again later (preemption by recomputation); the oldest always goes on.

    may_begin: asked whether a request may begin at a place, all before which is in the cache; where not, it waits, and
    all behind it, and the scheduler is ``held``. copy_block: copies what one block of the cache holds into another, at
    once, so that requests may share a part of a block; None where they do not.
    """

    may_begin: Callable[[BlockTable, int], bool] = staticmethod(lambda table, start: True)
    copy_block: Callable[[int, int], None] | None = None

    def __init__(self, blocks: BlockManager, max_batch: int, token_budget: int, prefix_cache: bool = True) -> None:
        self.blocks = blocks
        self.max_batch = max_batch
        self.token_budget = token_budget
        self.prefix_cache = prefix_cache
        self.waiting: deque[BlockTable] = deque()  # in order of arrival
        self.running: list[BlockTable] = []  # in order of arrival, all older than those that wait
        self.held = False

    def add(self, table: BlockTable) -> None:
        """Put a request at the end of the queue. Raises InferenceError where its prompt can never fit."""
        needed = self.blocks.blocks_for(len(table.token_ids) + 1)
        if needed > self.blocks.num_blocks:
            raise InferenceError(
                f"The prompt of {table.num_prompt:,} tokens needs {needed:,} blocks of {self.blocks.block_size} tokens;"
                f" the cache has {self.blocks.num_blocks:,}.",
                "Use a smaller picture, a shorter prompt or a larger cache.",
            )
        self.waiting.append(table)

    def remove(self, table: BlockTable) -> None:
        """Forget a request, wherever it is, and free its blocks."""
        if table in self.running:
            self.running.remove(table)
            self._release(table)
        else:
            self.waiting.remove(table)

    def schedule(self) -> list[Chunk]:
        """The chunks to compute now, no request twice. Raises NoRoom for one that has outgrown the cache."""
        self.held = False
        self._secure_room()
        chunks = list(self._decode_chunks())
        budget = self.token_budget - num_tokens(chunks)
        for table in self.running:
            if not table.decoding and budget > 0:
                chunks.append(_chunk(table, budget))
                budget -= num_tokens(chunks[-1:])
        while budget > 0 and self._admit():
            chunks.append(_chunk(self.running[-1], budget))
            budget -= num_tokens(chunks[-1:])
        if not chunks and self.waiting and not self.held:  # nobody runs, and still it is not admitted
            raise NoRoom(self.waiting[0], self.blocks)
        return chunks

    def num_cached(self, table: BlockTable) -> int:
        """How many tokens of a waiting request would be found computed now."""
        return self._num_tokens(self._find(table, table.sharable_keys())) if self.prefix_cache else 0

    def computed(self, chunk: Chunk) -> None:
        """A chunk has its keys and values in the cache; its full blocks can be found from now on, and of a prompt each
        block's beginning."""
        table, size = chunk.table, self.blocks.block_size
        table.num_computed = chunk.end
        if not self.prefix_cache:
            return
        for block in range(chunk.start // size, chunk.end // size):
            self.blocks.publish(table.blocks[block], table.key(block))
        if self.copy_block is not None and chunk.start < table.num_prompt:
            for block in range(chunk.start // size, self.blocks.blocks_for(chunk.end)):
                self.blocks.note(table.blocks[block], table.key_before(block), table.contents(block, chunk.end))

    def clear(self) -> None:
        """Forget everybody, at the end of an engine."""
        self.waiting.clear()
        while self.running:
            self._release(self.running.pop())

    def shrink(self, most: int) -> None:
        """From now on compute at most so many tokens a step, since more do not fit into the device's memory."""
        self.token_budget = max(1, min(self.token_budget, most))
        self.max_batch = min(self.max_batch, self.token_budget)

    def _secure_room(self) -> None:
        """Give every decoding request the blocks for its next tokens, the oldest first, at the youngest's expense."""
        while len(self.running) > self.max_batch:
            self._preempt()
        for table in list(self.running):
            missing = self.blocks.blocks_for(len(table.token_ids)) - len(table.blocks)
            while missing > 0 and table in self.running and not self.blocks.can_take(missing):
                if len(self.running) == 1:
                    raise NoRoom(table, self.blocks)
                self._preempt()
            if missing > 0 and table in self.running:
                table.blocks.extend(self.blocks.take(missing))

    def _decode_chunks(self) -> Iterator[Chunk]:
        """Every decoding request computes a token at least; the rest of the budget is for tokens that were forced."""
        decoding = [table for table in self.running if table.decoding]
        spare = self.token_budget - len(decoding)
        for table in decoding:
            chunk = _chunk(table, 1 + spare)
            spare -= chunk.end - chunk.start - 1
            yield chunk

    def _admit(self) -> bool:
        """Let the oldest waiting request run, if there is room for it."""
        if not self.waiting or len(self.running) >= self.max_batch:
            return False
        table = self.waiting[0]
        keys = table.sharable_keys() if self.prefix_cache else []
        found = self._find(table, keys)
        missing = self.blocks.blocks_for(len(table.token_ids)) - len(found.blocks)
        room_to_grow = len(self.running)  # a block each, lest somebody is preempted at once
        if not self.blocks.can_take(missing + room_to_grow, beside=found.blocks):
            return False
        if len(found.blocks) < len(keys) and self._is_being_computed(keys[len(found.blocks)]):
            return False  # in a step or two it can be shared
        self.held = not self.may_begin(table, self._num_tokens(found))
        if self.held:
            return False
        self._place(table, found, missing)
        self.running.append(self.waiting.popleft())
        return True

    def _find(self, table: BlockTable, keys: Sequence[bytes]) -> Found:
        """What of a request is in the cache; ``keys``: its ``sharable_keys``, none without a prefix cache."""
        blocks = self.blocks.find(keys)
        if not self.prefix_cache or self.copy_block is None:
            return Found(blocks)
        following = table.contents(len(blocks), table.sharable)
        return Found(blocks, *self.blocks.begun(table.key_before(len(blocks)), following))

    def _num_tokens(self, found: Found) -> int:
        return len(found.blocks) * self.blocks.block_size + found.slots

    def _place(self, table: BlockTable, found: Found, missing: int) -> None:
        """Give a request what was found of it, and so many blocks more, the first of them with what was begun."""
        self.blocks.hold(found.blocks)
        taken = self.blocks.take(missing)
        if found.slots and found.block != taken[0]:
            assert self.copy_block is not None
            self.copy_block(found.block, taken[0])
        table.blocks.extend([*found.blocks, *taken])
        table.num_computed = self._num_tokens(found)

    def _is_being_computed(self, key: bytes) -> bool:
        size = self.blocks.block_size
        return any(
            key in table.sharable_keys()[table.num_computed // size :]
            for table in self.running
            if table.num_pending > size
        )

    def _preempt(self) -> None:
        table = self.running.pop()
        self._release(table)
        self.waiting.appendleft(table)

    def _release(self, table: BlockTable) -> None:
        self.blocks.free(table.blocks)
        table.forget()


class NoRoom(Exception):
    """One request alone needs more blocks than there are. ``args``: what is wrong, and what to do."""

    def __init__(self, table: BlockTable, blocks: BlockManager) -> None:
        super().__init__(
            f"The request's {len(table.token_ids):,} tokens ({table.num_prompt:,} of its prompt) have outgrown the"
            f" cache of {blocks.num_blocks:,} blocks of {blocks.block_size} tokens.",
            "Use fewer max_new_tokens or a larger cache.",
        )
        self.table = table


def _chunk(table: BlockTable, budget: int) -> Chunk:
    return Chunk(table, table.num_computed, min(len(table.token_ids), table.num_computed + budget))
