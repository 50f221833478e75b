from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vi.inference.engine.block_manager import BlockManager, Contents

NUM_BLOCKS = 7


class Blocks(RuleBasedStateMachine):
    """Requests take, share, publish and free blocks in any order, beside a model of what must be true."""

    def __init__(self):
        super().__init__()
        self.blocks = BlockManager(NUM_BLOCKS, 4)
        self.holders: list[list[int]] = []
        self.contents: dict[int, bytes] = {}  # what a block holds since it was published
        self.noted: dict[bytes, tuple[int, Contents]] = {}
        self.names = iter(range(10_000))

    @rule(count=st.integers(1, NUM_BLOCKS))
    def take(self, count):
        free = NUM_BLOCKS - len({block for held in self.holders for block in held})
        assert self.blocks.can_take(count) == (count <= free)
        if count <= free:
            taken = self.blocks.take(count)
            assert not set(taken) & {block for held in self.holders for block in held}
            for block in taken:
                forgotten = self.contents.pop(block, None)
                assert forgotten is None or self.blocks.find([forgotten]) == []
            self.noted = {before: note for before, note in self.noted.items() if note[0] not in taken}
            self.holders.append(taken)

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def publish(self, data):
        held = data.draw(st.sampled_from(self.holders))
        block = data.draw(st.sampled_from(held))
        if block not in self.contents:
            self.contents[block] = str(next(self.names)).encode()
            self.blocks.publish(block, self.contents[block])

    @precondition(lambda self: self.holders)
    @rule(data=st.data(), token_ids=st.lists(st.integers(0, 1), min_size=1, max_size=4), pictures=st.integers(0, 1))
    def note(self, data, token_ids, pictures):
        held = data.draw(st.sampled_from(self.holders))
        block = data.draw(st.sampled_from(held))
        before = bytes([block % 2])  # two blocks may hold what comes after the same beginning, the last one counts
        noted = Contents(token_ids, len(token_ids), b"")
        self.blocks.note(block, before, noted)
        self.noted[before] = block, noted

    @invariant()
    def what_was_begun_is_known_until_its_block_is_taken(self):
        for before in (b"\0", b"\1"):
            for token_ids in ([0], [0, 1, 1], [1, 1, 0, 0]):
                block, slots = self.blocks.begun(before, Contents(token_ids, len(token_ids), b""))
                known, noted = self.noted.get(before, (-1, Contents((), 0, b"")))
                assert (block if slots else -1) == (known if slots else -1)
                assert list(noted.token_ids[:slots]) == token_ids[:slots]
                assert slots in (len(token_ids), len(noted.token_ids)) or noted.token_ids[slots] != token_ids[slots]

    @precondition(lambda self: self.contents)
    @rule(data=st.data())
    def share(self, data):
        block = data.draw(st.sampled_from(sorted(self.contents)))
        assert self.blocks.find([self.contents[block], b"unknown"]) == [block]
        self.blocks.hold([block])
        self.holders.append([block])

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def free(self, data):
        self.blocks.free(self.holders.pop(data.draw(st.integers(0, len(self.holders) - 1))))

    @invariant()
    def references_add_up(self):
        held = Counter(block for holder in self.holders for block in holder)
        assert [held[block] for block in range(NUM_BLOCKS)] == self.blocks._references
        assert self.blocks.num_free == NUM_BLOCKS - len(held)

    def teardown(self):
        for held in self.holders:
            self.blocks.free(held)
        assert self.blocks.num_free == NUM_BLOCKS
        assert len(set(self.blocks.take(NUM_BLOCKS))) == NUM_BLOCKS


TestBlocks = Blocks.TestCase
TestBlocks.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def filled(count, prefix=b"k"):
    """A manager with all its blocks published and freed, oldest first."""
    blocks = BlockManager(count, 4)
    for number, block in enumerate(blocks.take(count)):
        blocks.publish(block, prefix + bytes([number]))
        blocks.free([block])
    return blocks


def test_blocks_stay_findable_until_they_are_taken_the_least_recently_used_first():
    blocks = filled(3)
    found = blocks.find([b"k\x00"])
    blocks.hold(found)
    blocks.free(found)  # now the most recently used
    blocks.take(1)
    assert [len(blocks.find([key])) for key in (b"k\x00", b"k\x01", b"k\x02")] == [1, 0, 1]


def test_of_one_requests_blocks_the_last_is_forgotten_first():
    blocks = BlockManager(3, 4)
    mine = blocks.take(3)
    for number, block in enumerate(mine):
        blocks.publish(block, bytes([number]))
    blocks.free(mine)
    blocks.take(1)
    assert blocks.find([b"\x00", b"\x01", b"\x02"]) == mine[:2]


def test_a_hole_ends_what_is_found():
    blocks = filled(3)
    assert len(blocks.find([b"k\x00", b"?", b"k\x02"])) == 1


def test_the_first_block_with_a_key_keeps_it():
    blocks = BlockManager(2, 4)
    first, second = blocks.take(2)
    blocks.publish(first, b"same")
    blocks.publish(second, b"same")
    assert blocks.find([b"same"]) == [first]
    blocks.free([second])
    blocks.take(1)
    assert blocks.find([b"same"]) == [first]


def test_found_blocks_that_nobody_holds_count_as_taken_once_they_are_held():
    blocks = filled(3)
    found = blocks.find([b"k\x00", b"k\x01"])
    assert blocks.can_take(1, beside=found)
    assert not blocks.can_take(2, beside=found)
