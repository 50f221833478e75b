from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.inference.media.films import decode_all, film

from vi.inference.media.clip_decoder import decode_wanted, index_by_decoding, plan_runs
from vi.inference.media.clip_file import ClipFile
from vi.inference.media.deadline import Deadline


@given(keys=st.sets(st.integers(0, 300), min_size=1), wanted=st.sets(st.integers(0, 400), min_size=1))
def test_runs_hold_every_wanted_packet_after_its_keyframe_and_leave_out_what_pays(keys, wanted):
    keys = sorted(keys | {0})
    packets = sorted(wanted)
    starts = [max(key for key in keys if key <= packet) for packet in packets]
    runs = plan_runs(starts, packets)
    for start, packet in zip(starts, packets, strict=True):
        assert sum(run.first <= start and packet <= run.last for run in runs) == 1
    assert all(run.first in starts and run.last in packets for run in runs)
    assert all(after.first - before.last > 8 for before, after in itertools.pairwise(runs))


@pytest.fixture(scope="module")
def content() -> bytes:
    return film(range(240), options={"g": "24", "bf": "3"})


def opened(content: bytes) -> ClipFile:
    return ClipFile(io.BytesIO(content), "clip", Deadline(100, "clip"))


def test_both_ways_to_an_index_agree(content):
    file = opened(content)
    by_packets, by_frames = file.packets().index(file.time_base), index_by_decoding(file)
    assert by_packets is not None
    assert (by_packets.times == by_frames.times).all()
    assert by_packets.duration == pytest.approx(by_frames.duration)


@pytest.mark.parametrize(
    "wanted", [[0], [239], [1, 2, 3], [5, 100, 101, 200], list(range(0, 240, 24)), list(range(240))]
)
def test_wanted_frames_are_the_same_by_either_index(content, wanted):
    file = opened(content)
    _, frames = decode_all(content)
    for index in (file.packets().index(file.time_base), index_by_decoding(file)):
        assert index is not None
        got = [frame.to_ndarray(format="rgb24") for frame in decode_wanted(file, index, np.array(wanted))]
        assert len(got) == len(wanted)
        assert all((frame == frames[number]).all() for frame, number in zip(got, wanted, strict=True))


def test_packets_that_nothing_needs_are_not_decoded(content, monkeypatch):
    file = opened(content)
    index = file.packets().index(file.time_base)
    sent = []
    read = ClipFile.read

    def counting(self, *args):
        for number, packet in enumerate(read(self, *args)):
            sent.append(number)
            yield packet

    monkeypatch.setattr(ClipFile, "read", counting)
    assert len(list(decode_wanted(file, index, np.array([0, 48])))) == 2
    assert max(sent) < 60
