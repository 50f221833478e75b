import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from vi.inference.errors import ConfigError
from vi.inference.sampling.randomness import LARGEST_SEED, uniform

WORD = 2**64 - 1


def philox_4x64_10(key, counter):
    """Salmon et al. 2011, written from the paper: the block of four words for a key and a counter."""
    c = [(counter >> 64 * i) & WORD for i in range(4)]
    k = [key & WORD, key >> 64]
    for _ in range(10):
        a, b = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
        c = [(b >> 64) ^ c[1] ^ k[0], b & WORD, (a >> 64) ^ c[3] ^ k[1], a & WORD]
        k = [(k[0] + 0x9E3779B97F4A7C15) & WORD, (k[1] + 0xBB67AE8584CAA73B) & WORD]
    return c


def test_the_reference_gives_the_published_answer():
    assert philox_4x64_10(0, 0)[0] == 0x16554D9ECA36314C  # known-answer file of Random123


@given(st.integers(0, LARGEST_SEED), st.integers(0, 2**40))
def test_uniform_is_philox_of_seed_and_step(seed, step):
    # NumPy counts up before it computes a block
    assert uniform(seed, step) == (philox_4x64_10(seed, step + 1)[0] >> 11) / 2**53


def test_uniform_is_spread_evenly_over_steps_and_over_seeds():
    assert kstest([uniform(42, step) for step in range(5000)], "uniform").pvalue > 1e-3
    assert kstest([uniform(seed, 0) for seed in range(5000)], "uniform").pvalue > 1e-3


def test_threads_and_other_draws_change_nothing():
    places = [(seed, step) for seed in range(20) for step in range(20)]
    alone = [uniform(*place) for place in places]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda place: uniform(*place), places)) == alone


def test_no_global_generator_is_touched():
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = random.random(), np.random.random(), torch.rand(1).item()
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    for step in range(10):
        uniform(7, step)
    assert (random.random(), np.random.random(), torch.rand(1).item()) == expected


@pytest.mark.parametrize(("seed", "step"), [(-1, 0), (2**63, 0), (0, -1)])
def test_out_of_range_is_an_error_with_the_value(seed, step):
    with pytest.raises(ConfigError, match=str(min(seed, step) if -1 in (seed, step) else seed)):
        uniform(seed, step)
