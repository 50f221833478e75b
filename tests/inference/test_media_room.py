"""How much of prepared pictures is in memory at a time."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest
from tests.inference.asking import GREEDY, answer, picture

from vi.inference import ViModel
from vi.inference.media_room import MediaRoom
from vi.inference.preprocess.chat import ChatPrompt


def test_what_finds_no_room_waits_until_others_leave():
    room, order = MediaRoom(10), []
    room.enter(6)
    room.enter(4)

    def late() -> None:
        room.enter(5)
        order.append("entered")

    thread = threading.Thread(target=late)
    thread.start()
    room.leave(4)
    order.append("left")
    room.leave(6)
    thread.join()
    assert order == ["left", "entered"]


def test_what_is_larger_than_the_room_comes_in_alone():
    room = MediaRoom(10)
    room.enter(100)
    room.leave(100)
    room.enter(11)


@pytest.fixture
def model(tiny_checkpoint):
    with ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu") as model:
        yield model


def ask(model, sources):
    outcomes = model(sources, "Which?", GREEDY, task_type="generic", show_progress=False)
    return [answer(outcome).raw_output for outcome in outcomes]


def test_many_pictures_go_through_a_room_that_holds_one(model, tiny_model, monkeypatch):
    sources = [picture((40 + 10 * number, 48)) for number in range(6)]
    monkeypatch.setattr(model._answerer, "_room", MediaRoom(1))
    assert ask(model, sources) == ask(tiny_model, sources)


def test_only_what_is_underway_holds_pixels(model, monkeypatch):
    """However many answers wait for their turn to be taken."""
    held, most = [], 0
    build = ChatPrompt.build

    def build_and_note(chat, *arguments, **options):
        nonlocal most
        prompt = build(chat, *arguments, **options)
        held.append(weakref.ref(prompt.media["pixel_values"]))
        gc.collect()
        most = max(most, sum(of() is not None for of in held))
        return prompt

    monkeypatch.setattr(ChatPrompt, "build", build_and_note)
    monkeypatch.setattr(model._answerer, "_room", MediaRoom(1))
    ask(model, [picture((40 + 4 * number, 48)) for number in range(12)])
    assert most <= 4  # one that runs, two that were just prepared, one that has ended and is not dropped yet
