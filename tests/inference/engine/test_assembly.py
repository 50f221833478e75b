from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.engine.mixes import prompt
from tests.inference.engine.numpy_model import PICTURE, check

from vi.inference.engine.assembly import assemble, pictured
from vi.inference.engine.block_table import BlockTable
from vi.inference.engine.scheduler import Chunk

SIZE = 4
PICTURES = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), max_size=3).map(tuple)
ROWS = st.lists(st.tuples(st.integers(1, 9), PICTURES, st.integers(0, 6), st.data()), min_size=1, max_size=4)


@given(ROWS)
def test_a_batch_is_the_chunks_end_to_end(rows):
    chunks, features, taken = [], {}, 0
    for before, pictures, generated, data in rows:
        table = BlockTable(prompt(before, pictures, 2), SIZE)
        table.token_ids += range(100, 100 + generated)
        count = -(-len(table.token_ids) // SIZE)
        table.blocks.extend(range(taken, taken + count))
        taken += count
        start = data.draw(st.integers(0, len(table.token_ids) - 1))
        chunks.append(Chunk(table, start, data.draw(st.integers(start + 1, len(table.token_ids)))))
        features[table] = np.arange(table.token_ids.count(PICTURE)) + 1000 * len(chunks)
    batch = assemble(chunks, features)
    check(batch, SIZE, taken)
    placed = dict(zip(range(len(batch.token_ids)), [0] * len(batch.token_ids), strict=True))
    for place, part in batch.features:
        placed |= {place + i: int(feature) for i, feature in enumerate(part)}
    row = 0
    for number, chunk in enumerate(chunks, start=1):
        table = chunk.table
        behind = table.prompt.next_position + np.arange(len(table.token_ids) - table.num_prompt)
        every = np.concatenate([table.prompt.positions, np.broadcast_to(behind, (3, len(behind)))], axis=1)
        for place in range(chunk.start, chunk.end):
            assert batch.token_ids[row] == table.token_ids[place]
            assert batch.positions[:, row].tolist() == every[:, place].tolist()
            nth = table.token_ids[:place].count(PICTURE)
            assert placed[row] == (1000 * number + nth if table.token_ids[place] == PICTURE else 0)
            row += 1
        assert pictured(chunk) == (PICTURE in table.token_ids[chunk.start : chunk.end])
        assert ((row - 1) in batch.wanted) == (chunk.end == len(table.token_ids))
    assert row == len(batch.token_ids)


def test_what_is_owed_is_wanted_beside_the_last_token():
    table = BlockTable(prompt(5, (), 1), SIZE)
    table.token_ids += [7, 8, 9]
    table.blocks.extend(range(3))
    table.owed = [5, 6]
    assert assemble([Chunk(table, 4, 9)], {}).wanted.tolist() == [1, 2, 4]
    assert assemble([Chunk(table, 4, 7)], {}).wanted.tolist() == [1, 2]
    table.closed = True
    assert assemble([Chunk(table, 4, 9)], {}).wanted.tolist() == [1, 2]
