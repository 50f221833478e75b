from __future__ import annotations

from fractions import Fraction

import pytest

from vi.inference.media.frame_index import DAMAGED, HIDDEN, KEY, FrameIndex, PacketList, decoded_index

TICK = Fraction(1, 10)


def index(*packets: tuple[int | None, int], last: int = 1, dts: list[int] | None = None) -> FrameIndex | None:
    """packets: (pts, flags) in file order."""
    listed = PacketList()
    for number, (pts, flags) in enumerate(packets):
        listed.add(pts, dts[number] if dts else None, last, flags)
    return listed.index(TICK)


def test_frames_are_in_order_of_showing_and_begin_at_the_keyframe_before_them():
    found = index((0, KEY), (3, 0), (1, 0), (2, 0), (4, KEY), (6, 0), (5, 0))
    assert found is not None
    assert found.pts.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert found.packets.tolist() == [0, 2, 3, 1, 4, 6, 5]
    assert found.starts.tolist() == [0, 0, 0, 0, 4, 4, 4]
    assert found.times.tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert found.duration == pytest.approx(0.7)


def test_what_is_shown_before_the_keyframe_it_is_stored_after_needs_the_one_before():
    found = index((0, KEY), (1, 0), (4, KEY), (2, 0), (3, 0), (5, 0))
    assert found is not None
    assert found.starts.tolist() == [0, 0, 0, 0, 2, 2]


def test_what_no_keyframe_leads_to_is_not_a_frame():
    found = index((0, 0), (1, 0), (5, KEY), (3, 0), (4, 0), (6, 0))
    assert found is not None
    assert found.pts.tolist() == [5, 6]
    assert found.times[0] == 0


def test_hidden_and_damaged_packets_are_left_out_but_decoding_goes_through_them():
    found = index((0, KEY | HIDDEN), (1, HIDDEN), (2, 0), (3, DAMAGED), (4, 0))
    assert found is not None
    assert found.pts.tolist() == [2, 4]
    assert found.starts.tolist() == [0, 0]
    assert found.num_damaged == 1


@pytest.mark.parametrize(
    "packets", [[(0, KEY), (None, 0)], [(0, 0), (1, 0)], [(0, KEY), (1, 0), (1, 0)], [(0, KEY | HIDDEN)]]
)
def test_packets_that_do_not_tell_give_no_index(packets):
    assert index(*packets) is None


def test_a_clock_that_is_set_back_tells_nothing():
    assert index((0, KEY), (1, 0), (2, KEY), dts=[100, 101, 5]) is None


def test_the_last_frame_stays_as_long_as_is_usual_where_nothing_says_so():
    found = index((0, KEY), (2, 0), (4, 0), (9, 0), last=0)
    assert found is not None
    assert found.duration == pytest.approx(1.1)
    alone = index((7, KEY), last=0)
    assert alone is not None
    assert alone.duration == pytest.approx(0.1)


def test_decoded_frames_without_times_come_at_the_rate_that_is_stated():
    found = decoded_index([None, None, 3], Fraction(1, 100), 25.0)
    assert found.times.tolist() == pytest.approx([0, 0.04, 0.08])
    assert found.duration == pytest.approx(0.12)


def test_decoded_times_that_do_not_rise_go_on_at_the_usual_gap():
    found = decoded_index([10, 12, 14, 3, 5, 5, 8], TICK, 25.0)
    assert found.times.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3])
