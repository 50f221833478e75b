"""What the sampler is asked for in tests: settings of every kind, with and without a report of the choice."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st


@dataclass(frozen=True)
class Config:
    do_sample: bool = True
    temperature: float = 1.0
    top_k: int | None = 50
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0
    logprobs: int | None = None


def configs(most_logprobs: int) -> st.SearchStrategy[Config]:
    """Of every kind; the alternatives of a token are none, 0, 3 or up to ``most_logprobs``."""
    return st.builds(
        Config,
        do_sample=st.booleans(),
        temperature=st.sampled_from([0.0, 0.3, 1.0, 1.7]),
        top_k=st.sampled_from([None, 1, 5, 100]),
        top_p=st.sampled_from([0.0, 0.5, 0.9, 1.0]),
        repetition_penalty=st.sampled_from([1.0, 1.05, 2.0]),
        seed=st.integers(0, 2**63 - 1),
        logprobs=st.sampled_from(list(dict.fromkeys([None, 0, 3, most_logprobs]))),
    )
