from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.engine.mixes import prompt

from vi.inference.engine.block_manager import BlockManager
from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.scheduler import NoRoom, Scheduler
from vi.inference.errors import InferenceError

SIZE = 4
LENGTHS = st.tuples(st.integers(1, 24), st.integers(1, 9), st.integers(0, 2), st.integers(1, 12))
ARRIVALS = st.lists(st.tuples(st.integers(0, 12), LENGTHS), min_size=1, max_size=9)  # the step, and what comes


def table(before, after=1, words=0, pictures=()):
    return BlockTable(prompt(before, pictures, after, words), SIZE)


def scheduler(num_blocks=64, max_batch=4, token_budget=16, **options):
    return Scheduler(BlockManager(num_blocks, SIZE), max_batch, token_budget, **options)


def step(one, answers=None):
    """One step as an engine would take it: every complete row gets a token, and leaves with its last."""
    chunks = one.schedule()
    ready = [chunk.table for chunk in chunks if chunk.complete]
    for chunk in chunks:
        one.computed(chunk)
    for done in ready:
        done.token_ids.append(5)
        if answers is not None:
            answers[done] -= 1
            if answers[done] == 0:
                one.remove(done)
    return chunks


def check(one, chunks):
    """What holds after every step."""
    assert len(one.running) <= one.max_batch
    assert sum(chunk.end - chunk.start for chunk in chunks) <= one.token_budget
    assert len({chunk.table for chunk in chunks}) == len(chunks)
    manager = one.blocks
    held = [block for running in one.running for block in set(running.blocks)]
    assert all(len(set(running.blocks)) == len(running.blocks) for running in one.running)
    assert [held.count(block) for block in range(manager.num_blocks)] == manager._references
    for running in one.running:  # where another one writes, nobody reads
        for other in one.running:
            if other is not running:
                assert not set(running.blocks[running.num_computed // SIZE :]) & set(other.blocks)


@given(ARRIVALS, st.integers(12, 30), st.integers(1, 5), st.integers(5, 20), st.booleans())
def test_everybody_is_served_whatever_the_room_and_all_blocks_come_back(
    arrivals, num_blocks, max_batch, token_budget, prefix_cache
):
    one = scheduler(num_blocks, max_batch, token_budget, prefix_cache=prefix_cache)
    arrivals = sorted((when, i, table(*lengths[:3]), lengths[3]) for i, (when, lengths) in enumerate(arrivals))
    answers = {entry: answer for _, _, entry, answer in arrivals}
    for now in range(1000):
        for when, _, entry, _ in arrivals:
            if when == now:
                one.add(entry)
        chunks = step(one, answers)
        check(one, chunks)
        assert chunks or not one.running
        alive = [entry for when, _, entry, _ in arrivals if when <= now and answers[entry] > 0]
        assert [*one.running, *one.waiting] == alive  # the order of arrival is kept throughout
        if now > 12 and not alive:
            break
    assert not any(answers.values())
    assert one.blocks.num_free == num_blocks


@given(st.lists(LENGTHS, min_size=2, max_size=6), st.integers(0, 30), st.integers(0, 5))
def test_a_request_removed_at_any_step_leaves_no_block(lengths, when, which):
    one = scheduler(24, 3, 8)
    tables = [table(before, after, words) for before, after, words, _ in lengths]
    for entry in tables:
        one.add(entry)
    for _ in range(when):
        step(one)
        if any(len(entry.token_ids) > 40 for entry in tables):
            break
    one.remove(tables[which % len(tables)])
    check(one, [])
    for entry in [*one.running, *one.waiting]:
        one.remove(entry)
    assert one.blocks.num_free == one.blocks.num_blocks


def test_decoding_rows_compute_a_token_in_every_step_while_a_long_prompt_is_read():
    one = scheduler(token_budget=8)
    short, long = table(2), table(60)
    one.add(short)
    step(one)
    one.add(long)
    for _ in range(9):
        chunks = {chunk.table: chunk for chunk in step(one)}
        assert chunks[short].end - chunks[short].start == 1
        assert chunks[long].end - chunks[long].start <= 7
    assert long.decoding


def test_forced_tokens_take_what_the_others_leave_of_the_budget():
    one = scheduler(token_budget=8)
    first, second = table(2), table(2, words=1)
    for entry in (first, second):
        one.add(entry)
    step(one)
    first.token_ids += [5] * 20
    chunks = {chunk.table: chunk for chunk in one.schedule()}
    assert (chunks[first].end - chunks[first].start, chunks[second].end - chunks[second].start) == (7, 1)
    assert not chunks[first].complete


def test_the_youngest_gives_way_and_is_found_again_where_it_was():
    one = scheduler(num_blocks=8, token_budget=32, max_batch=2)
    old, young = table(11), table(11, words=1)
    for entry in (old, young):
        one.add(entry)
    step(one)
    while old in one.running and not one.waiting:
        step(one)
    assert one.running == [old]
    assert list(one.waiting) == [young]
    assert young.num_computed == 0
    generated = len(young.token_ids)
    one.remove(old)
    (chunk,) = step(one)
    assert chunk.table is young
    assert chunk.start > 0  # its first blocks were still there
    assert chunk.end == generated
    assert len(young.token_ids) == generated + 1


def test_a_common_beginning_is_computed_once():
    one = scheduler(token_budget=64)
    first, second, other = table(20), table(20, words=1), table(20, words=2)
    for entry in (first, second, other):
        one.add(entry)
    assert [chunk.table for chunk in step(one)] == [first]  # the others wait for what it computes
    chunks = {chunk.table: chunk for chunk in step(one)}
    assert chunks[second].start == chunks[other].start == 20
    assert list(second.blocks[:5]) == list(first.blocks[:5]) == list(other.blocks[:5])


@pytest.mark.parametrize("before", [20, 21, 22, 23])
def test_a_common_beginning_that_ends_within_a_block_is_copied(before):
    one, copies = scheduler(token_budget=64), []
    one.copy_block = lambda source, target: copies.append((source, target))
    first, second, other = table(before), table(before, words=1), table(before, words=2)
    for entry in (first, second, other):
        one.add(entry)
    step(one)
    chunks = {chunk.table: chunk for chunk in step(one)}
    assert chunks[second].start == chunks[other].start == before
    block = before // SIZE
    expected = [(first.blocks[block], second.blocks[block]), (first.blocks[block], other.blocks[block])]
    assert copies == (expected if before % SIZE else [])


def test_of_a_block_with_another_picture_only_what_comes_before_it_is_copied():
    one = scheduler(token_budget=64)
    one.copy_block = lambda source, target: None
    starts = []
    for pictures in (((2, 3),), ((2, 4),), ((2, 3),)):
        one.add(entry := table(6, pictures=pictures, words=len(starts)))
        (chunk,) = [chunk for chunk in step(one) if chunk.table is entry]
        starts.append(chunk.start)
    assert starts[:2] == [0, entry.runs[0][0]]
    assert starts[2] > entry.runs[0][1]


def test_without_a_prefix_cache_nothing_is_shared():
    one = scheduler(token_budget=64, prefix_cache=False)
    first, second = table(20), table(20)
    for entry in (first, second):
        one.add(entry)
    assert [chunk.start for chunk in step(one)] == [0, 0]
    assert not set(first.blocks) & set(second.blocks)


@pytest.mark.parametrize("length", [8, 9, 11])
def test_the_last_token_of_a_prompt_that_is_all_known_is_computed_again(length):
    one = scheduler()
    for entry in (first := table(length - 1), second := table(length - 1)):
        one.add(entry)
        (chunk,) = [chunk for chunk in step(one) if chunk.table is entry]
    assert first.token_ids[:length] == second.token_ids[:length]
    assert (chunk.start, chunk.end) == ((length - 1) // SIZE * SIZE, length)


def test_a_prompt_larger_than_the_cache_is_refused_with_the_numbers():
    with pytest.raises(InferenceError, match=r"prompt of 41 tokens needs 11 blocks of 4 tokens; the cache has 10"):
        scheduler(num_blocks=10).add(table(40))


def test_a_request_that_outgrows_the_cache_alone_is_told_with_the_numbers():
    one = scheduler(num_blocks=3)
    entry = table(8)
    one.add(entry)
    for _ in range(4):
        step(one)
    with pytest.raises(NoRoom, match=r"13 tokens \(9 of its prompt\) have outgrown the cache of 3 blocks of 4") as full:
        step(one)
    assert full.value.table is entry
    one.remove(entry)
    assert one.blocks.num_free == 3


def test_a_request_forced_beyond_the_cache_is_told_also_after_it_gave_way():
    one = scheduler(num_blocks=6, token_budget=32)
    old, young = table(8), table(8, words=1)
    for entry in (old, young):
        one.add(entry)
    step(one)
    step(one)
    young.token_ids += [5] * 40
    step(one)
    one.remove(old)
    with pytest.raises(NoRoom) as full:
        step(one)
    assert full.value.table is young


def test_a_smaller_budget_sends_the_youngest_back():
    one = scheduler(max_batch=4, token_budget=16)
    tables = [table(2, words=words) for words in (0, 1, 2)]
    for entry in tables:
        one.add(entry)
    step(one)
    step(one)
    assert one.running == tables
    one.shrink(2)
    assert len(step(one)) == 2
    assert one.running == tables[:2]


def test_who_may_not_begin_yet_holds_those_behind_and_nobody_is_refused():
    one, first, second = scheduler(prefix_cache=False), table(5), table(6, words=1)
    ready = set()
    one.may_begin = lambda asked, start: asked in ready
    one.add(first)
    one.add(second)
    assert one.schedule() == []
    assert one.held
    ready |= {first, second}
    assert [chunk.table for chunk in one.schedule()] == [first, second]
    assert not one.held


def test_who_waits_is_asked_about_the_place_where_it_would_begin():
    one, first, second = scheduler(), table(9), table(9, after=2)
    asked = []
    one.may_begin = lambda of, start: asked.append((of, start)) or True
    one.add(first)
    step(one)
    one.add(second)
    step(one)
    assert one.num_cached(table(9, after=3)) == 8
    assert asked == [(first, 0), (second, 8)]
