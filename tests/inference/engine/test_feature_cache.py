from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.engine.feature_cache import FeatureCache


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 5)), max_size=40), st.integers(0, 80))
def test_it_never_holds_more_than_its_bytes_and_gives_what_was_encoded(asked, max_bytes):
    cache, sizes = FeatureCache(max_bytes), {}
    for name, size in asked:
        size = sizes.setdefault(name, size)
        features = cache.get(bytes([name]), lambda size=size, name=name: np.full(size, name, dtype=np.float64))
        assert features.tolist() == [name] * size
        assert cache.num_bytes == sum(held.nbytes for held in cache._features.values()) <= max_bytes


def test_the_least_recently_used_goes_first():
    cache, encoded = FeatureCache(16), []

    def ask(name):
        cache.get(name, lambda: encoded.append(name) or np.zeros(1))

    for name in (b"a", b"b", b"a", b"c", b"a", b"b"):
        ask(name)
    assert encoded == [b"a", b"b", b"c", b"b"]


def test_pictures_without_a_key_are_not_kept():
    cache = FeatureCache(1000)
    cache.get(b"", lambda: np.zeros(1))
    assert len(cache) == 0
