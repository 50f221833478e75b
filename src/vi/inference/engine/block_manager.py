"""Who holds which block of the cache of keys and values, and which blocks can be found again by what they hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Contents:
    """What the first slots of a block hold. plain: how many slots come before the first place of a picture."""

    token_ids: Sequence[int]
    plain: int
    media_key: bytes

    def common(self, other: Contents) -> int:
        """In how many slots, from the first on, the two are the same."""
        most = min(len(self.token_ids), len(other.token_ids))
        if self.media_key != other.media_key:
            most = min(most, self.plain, other.plain)
        pairs = zip(self.token_ids[:most], other.token_ids[:most], strict=True)
        return next((slot for slot, (mine, others) in enumerate(pairs) if mine != others), most)


class BlockManager:
    """Counts the references to every block, and remembers what blocks hold (paged attention, Kwon et al. 2023).

    A block is held by one or more requests, or it is free. A free block that was published keeps its contents and can
    be found until it is taken for something else, the least recently used first. Only full blocks are published, and
    nobody writes into a full block, so sharing needs no copies. Of the blocks that hold what comes after the same
    beginning, the last one that was noted is known by its contents: what is the same in its first slots can be copied.
    """

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        self._references = [0] * num_blocks
        self._blank = list(range(num_blocks - 1, -1, -1))  # free, nothing worth finding in them
        self._findable: OrderedDict[int, None] = OrderedDict()  # free but published, least recently used first
        self._block_of: dict[bytes, int] = {}
        self._key_of: dict[int, bytes] = {}
        self._after: dict[bytes, tuple[int, Contents]] = {}  # by the key of all that comes before
        self._before: dict[int, bytes] = {}

    @property
    def num_free(self) -> int:
        return len(self._blank) + len(self._findable)

    def blocks_for(self, num_tokens: int) -> int:
        """How many blocks hold so many tokens."""
        return -(-num_tokens // self.block_size)

    def find(self, keys: Iterable[bytes]) -> list[int]:
        """The blocks that hold the longest known beginning of ``keys``, in order. Nobody holds them yet for that."""
        blocks = []
        for key in keys:
            block = self._block_of.get(key)
            if block is None:
                break
            blocks.append(block)
        return blocks

    def can_take(self, count: int, beside: Sequence[int] = ()) -> bool:
        """Whether ``count`` blocks would be free if the found blocks ``beside`` were held."""
        return count <= self.num_free - sum(self._references[block] == 0 for block in beside)

    def hold(self, blocks: Iterable[int]) -> None:
        """One more reference to each of these found blocks."""
        for block in blocks:
            if self._references[block] == 0:
                del self._findable[block]
            self._references[block] += 1

    def take(self, count: int) -> list[int]:
        """So many blocks to write into, each with one reference; ask ``can_take`` first."""
        return [self._take_one() for _ in range(count)]

    def publish(self, block: int, key: bytes) -> None:
        """This held block is full and computed: it can be found by its key. The first one with a key keeps it."""
        if key not in self._block_of:
            self._block_of[key] = block
            self._key_of[block] = key

    def note(self, block: int, before: bytes, contents: Contents) -> None:
        """The first slots of this held block are computed; ``before``: the key of all that comes before it."""
        if before in self._after:
            del self._before[self._after[before][0]]
        self._after[before] = block, contents
        self._before[block] = before

    def begun(self, before: bytes, contents: Contents) -> tuple[int, int]:
        """(block, slots): how many of these contents a block behind ``before`` holds in its first slots, 0 if none.

        Its contents stand until something is run, also where the block is taken meanwhile.
        """
        block, held = self._after.get(before, (-1, None))
        return block, 0 if held is None else held.common(contents)

    def free(self, blocks: Sequence[int]) -> None:
        """One reference less to each. Of one request's blocks the last is forgotten first: all others lead up to it."""
        for block in reversed(blocks):
            self._references[block] -= 1
            if self._references[block] == 0:
                if block in self._key_of:
                    self._findable[block] = None
                else:
                    self._blank.append(block)

    def _take_one(self) -> int:
        if self._blank:
            block = self._blank.pop()
        else:
            block, _ = self._findable.popitem(last=False)
            del self._block_of[self._key_of.pop(block)]
        if block in self._before:
            del self._after[self._before.pop(block)]
        self._references[block] = 1
        return block
