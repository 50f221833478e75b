"""The run that ships: quick bars on scenes and wordings that training never saw, and manners beyond its world."""

from __future__ import annotations

from pathlib import Path

import pytest
from training.workbench.bars import QUICK, SHIPPED
from training.workbench.evaluate import evaluate
from training.workbench.outcomes import WAYS

from vi import workbench
from vi.inference import ViModel

SEED = 11


@pytest.fixture(scope="module")
def model():
    with ViModel() as model:
        yield model


def test_the_package_stays_small():
    files = [path for path in Path(workbench.__file__).parent.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 24e6
    assert not [path.name for path in files if path.suffix in (".pt", ".pkl")]


@pytest.fixture(scope="module")
def table(model):
    return evaluate(model, SEED, QUICK, [way for way in WAYS if any(name.startswith(way) for name in SHIPPED)])


@pytest.mark.parametrize("name", SHIPPED)
def test_it_is_right_about_scenes_it_never_saw(table, name):
    assert table[name] >= SHIPPED[name]


def test_every_phrase_it_grounds_has_boxes(model):
    answer, error = model(workbench.sample("parts.png"), "Locate all parts.", task_type="phrase-grounding")
    assert error is None
    assert answer.result.groundings
    assert all(each.grounding for each in answer.result.groundings)


def test_a_prompt_from_another_world_still_gets_a_typed_answer(model):
    answer, error = model(workbench.sample("parts.png"), "Quelle est la capitale de la France ? 🗼")
    assert error is None
    assert answer.result.answer
    assert answer.finish_reason == "stop"


def test_thinking_first_comes_to_an_answer(model):
    answer, error = model(workbench.sample("wood.jpg"), "How many parts are there?", cot=True)
    assert error is None
    assert answer.thinking
    assert answer.result.answer


@pytest.mark.parametrize("path", workbench.samples(), ids=lambda path: path.name)
def test_every_sample_can_be_asked_about(model, path):
    answer, error = model(path, "What objects are visible?")
    assert error is None
    assert answer.result.answer
