"""The door to the answers underway."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.server.envelope import ApiError
from vi.server.gate import Gate


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 5))), st.integers(1, 8))
def test_never_more_than_allowed_and_none_lost(steps, most):
    gate, inside = Gate(most), []
    for enters, answers in steps:
        if enters:
            if gate.underway + answers <= most:
                inside.append((gate.enter(answers), answers))
                continue
            with pytest.raises(ApiError) as caught:
                gate.enter(answers)
            assert (caught.value.status, int(caught.value.headers["Retry-After"]) >= 1) == (429, True)
        elif inside:
            inside.pop()[0].give_back()
        assert gate.underway == sum(answers for _, answers in inside) <= most
    for place, _ in inside:
        place.give_back()
        place.give_back()
    assert gate.underway == 0


def test_a_server_that_leaves_lets_nobody_in():
    gate = Gate(1)
    gate.draining = True
    with pytest.raises(ApiError) as caught:
        gate.enter()
    assert (caught.value.status, caught.value.retryable) == (503, True)


def test_who_is_refused_is_told_to_wait_about_as_long_as_answers_take():
    gate = Gate(1)
    for _ in range(50):
        gate.enter().give_back()
        gate.leave(0, 30.0)
    gate.enter()
    with pytest.raises(ApiError) as caught:
        gate.enter()
    assert 15 <= int(caught.value.headers["Retry-After"]) <= 60
