"""Models by name: loaded on demand, the least used out."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.server.running import running

from vi.inference.media.policy import MediaPolicy
from vi.server.envelope import ApiError
from vi.server.settings import ServerSettings
from vi.server.shelf import Shelf

NAMES = ("a", "b", "c")


@pytest.fixture
def threads():
    with ThreadPoolExecutor(4) as found:
        yield found


def shelf_of(threads, most, names=NAMES):
    return Shelf({name: {} for name in names}, most, MediaPolicy.untrusted(), threads)


def loaded(shelf):
    return sorted(name for name, _ in shelf.loaded())


def test_the_least_used_makes_room_and_what_is_used_stays(threads):
    async def borrow():
        shelf = shelf_of(threads, 2)
        first = await shelf.borrow("a")
        (await shelf.borrow("b")).give_back()
        assert loaded(shelf) == ["a", "b"]
        third = await shelf.borrow("c")  # b goes, as a is in use
        assert loaded(shelf) == ["a", "c"]
        waiting = asyncio.create_task(shelf.borrow("b"))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        first.give_back()
        first.give_back()
        second = await waiting
        assert loaded(shelf) == ["b", "c"]
        assert first.model.__repr__().endswith("closed)")
        third.give_back()
        second.give_back()
        await shelf.close()
        assert loaded(shelf) == []

    asyncio.run(borrow())


def test_many_who_ask_for_one_model_wait_for_one_loading(threads):
    async def borrow():
        shelf = shelf_of(threads, 1)
        loans = await asyncio.gather(*(shelf.borrow(None) for _ in range(8)))
        assert len({id(loan.model) for loan in loans}) == 1
        assert {loan.name for loan in loans} == {"a"}
        for loan in loans:
            loan.give_back()
        await shelf.close()

    asyncio.run(borrow())


def test_who_goes_away_while_a_model_loads_leaves_it_loaded(threads):
    async def borrow():
        shelf = shelf_of(threads, 1)
        asking = asyncio.create_task(shelf.borrow("a"))
        await asyncio.sleep(0.01)
        asking.cancel()
        loan = await shelf.borrow("a")
        loan.give_back()
        other = await shelf.borrow("b")  # so nobody holds the first
        other.give_back()
        await shelf.close()

    asyncio.run(borrow())


def test_an_unknown_name_is_404_with_the_nearest(threads):
    with pytest.raises(ApiError, match="Did you mean workbench") as caught:
        shelf_of(threads, 1, ("workbench",)).require("wrkbench")
    assert caught.value.status == 404


def test_each_request_names_its_model(picture_uri):
    with running(ServerSettings(models={"one": {}, "two": {}})) as server, server.client() as http:
        for name in ("two", "one", None):
            asked = {"source": picture_uri, "user_prompt": "How many gears?", "model": name}
            assert http.post("/v1/predict", json=asked).json()["model"] == (name or "one")
        health = http.get("/health").json()["models"]
        assert sorted(health.values()) == ["absent", "loaded"]
        assert [model["id"] for model in http.get("/v1/models").json()["data"]] == ["one", "two"]
