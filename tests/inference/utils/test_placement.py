"""Labels: inside the picture, off each other while there is room."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.utils.placement import overlap, place

PICTURE = (400, 300)
boxes = st.tuples(st.integers(0, 400), st.integers(0, 300), st.integers(0, 400), st.integers(0, 300)).map(
    lambda c: (min(c[0], c[2]), min(c[1], c[3]), max(c[0], c[2]), max(c[1], c[3]))
)


@given(size=st.tuples(st.integers(1, 400), st.integers(1, 300)), box=boxes, taken=st.lists(boxes, max_size=5))
def test_a_label_lies_inside_the_picture_in_its_size(size, box, taken):
    left, top, right, bottom = place(size, box, taken, PICTURE)
    assert (right - left, bottom - top) == size
    assert left >= 0
    assert top >= 0
    assert right <= 400
    assert bottom <= 300


@given(boxes=st.lists(boxes, max_size=20), width=st.integers(10, 90))
def test_labels_do_not_overlap_while_there_is_room(boxes, width):
    taken = []
    for box in boxes:
        label = place((width, 12), box, taken, PICTURE)
        assert not overlap(np.array([label]), np.reshape(taken, (-1, 4))).any()
        taken.append(label)


def test_a_label_stands_above_its_box_and_else_below():
    assert place((50, 12), (100, 100, 200, 200), [], PICTURE) == (100, 88, 150, 100)
    assert place((50, 12), (100, 100, 200, 200), [(90, 80, 210, 95)], PICTURE) == (100, 200, 150, 212)


def test_without_room_it_covers_least():
    full = [(0, 0, 400, 150), (0, 0, 400, 300)]  # the upper half is taken twice
    assert place((400, 150), (0, 0, 400, 150), full, PICTURE) == (0, 150, 400, 300)


@given(ones=st.lists(boxes, min_size=1, max_size=3), others=st.lists(boxes, min_size=1, max_size=3))
def test_overlap_counts_shared_pixels(ones, others):
    def pixels(rect):
        mask = np.zeros((300, 400), dtype=bool)
        mask[rect[1] : rect[3], rect[0] : rect[2]] = True
        return mask

    expected = [[(pixels(one) & pixels(other)).sum() for other in others] for one in ones]
    assert overlap(np.array(ones), np.array(others)).tolist() == expected
