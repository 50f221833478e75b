"""Hypothesis strategies for generation parameters."""

from __future__ import annotations

from hypothesis import strategies as st

VALUES = {
    "max_new_tokens": st.integers(1, 4096),
    "temperature": st.floats(0.0, 2.0),
    "top_p": st.floats(0.0, 1.0),
    "top_k": st.none() | st.integers(1, 100),
    "do_sample": st.booleans(),
    "repetition_penalty": st.floats(1.0, 2.0),
    "seed": st.integers(-1, 2**63 - 1),
    "stop_strings": st.lists(st.text(min_size=1, max_size=5), max_size=3),
    "logprobs": st.none() | st.integers(0, 20),
}

given_values = st.fixed_dictionaries({}, optional=VALUES)
