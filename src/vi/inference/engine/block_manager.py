"""Who holds which block of the cache of keys and values, and which blocks can be found again by what they hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence


class BlockManager:
    """Counts the references to every block, and remembers what full blocks hold (paged attention, Kwon et al. 2023).

    A block is held by one or more requests, or it is free. A free block that was published keeps its contents and can
    be found until it is taken for something else, the least recently used first. Only full blocks are published, and
    nobody writes into a full block, so sharing needs no copies.
    """

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.num_blocks = num_blocks
        self.block_size = block_size
        self._references = [0] * num_blocks
        self._blank = list(range(num_blocks - 1, -1, -1))  # free, nothing worth finding in them
        self._findable: OrderedDict[int, None] = OrderedDict()  # free but published, least recently used first
        self._block_of: dict[bytes, int] = {}
        self._key_of: dict[int, bytes] = {}

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
        self._references[block] = 1
        return block
