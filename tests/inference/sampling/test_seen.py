from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vi.inference.sampling.seen import SeenTokens

IDS = st.lists(st.integers(0, 300), max_size=200)


@given(IDS, IDS, st.frozensets(st.integers(0, 300), max_size=5))
def test_each_token_is_seen_once_and_the_prompts_excluded_ones_never(prompt, answer, exclude):
    seen = SeenTokens(prompt, exclude)
    for token_id in answer:
        seen.add(token_id)
    assert sorted(seen.ids.tolist()) == sorted(set(answer).union(set(prompt) - exclude))
