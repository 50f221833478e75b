"""Random numbers that are counted, not consumed: each is a function of a request's seed and the token's place."""

from __future__ import annotations

import numpy as np

from vi.inference.errors import ConfigError

LARGEST_SEED = 2**63 - 1


def uniform(seed: int, step: int) -> float:
    """The random number in [0, 1) for the ``step``-th token (from 0) of a request with this seed.

    The first 53 bits of NumPy's Philox 4x64-10 (Salmon et al. 2011) with key ``seed`` and counter ``step``: the same
    on every platform and thread, and no generator is kept, global or otherwise.
    Raises ConfigError for a seed outside 0 to 2**63 - 1 or a negative step.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise ConfigError(f"seed={seed} is out of range; it takes 0 to {LARGEST_SEED}.", "-1 draws a fresh one.")
    if step < 0:
        raise ConfigError(f"step={step} is out of range; tokens are counted from 0.")
    word = int(np.random.Philox(key=seed, counter=step).random_raw())
    return (word >> 11) * 2.0**-53
