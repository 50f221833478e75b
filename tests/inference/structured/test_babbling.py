"""Two hundred of the generations that ``python -m tests.inference.structured.babbling`` makes by the thousand."""

import pytest
from tests.inference.asking import picture
from tests.inference.structured.babbling import RUNS, fault, judged, opened, parts, settings_at
from tests.inference.structured.forms import forms

from vi.inference import GenerationConfig


@pytest.mark.parametrize("run", ["workbench", "qwen2_vl"])
def test_every_answer_of_every_form_at_any_budget_and_temperature_is_one(run):
    with opened(run) as model:
        verdicts = [verdict for part in parts([run]) for verdict in judged(model, part, 2)]
    assert len(verdicts) == 4 * len(forms())
    assert [verdict for verdict in verdicts if verdict.wrong] == []


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_so_are_more_of_them_from_every_family(run):
    with opened(run) as model:
        verdicts = [verdict for part in parts([run]) for verdict in judged(model, part, 8)]
    assert [verdict for verdict in verdicts if verdict.wrong] == []


def test_settings_cover_budgets_from_the_least_and_temperatures_from_end_to_end():
    drawn = [settings_at(1, number, 20) for number in range(400)]
    assert [GenerationConfig(**settings).max_new_tokens for settings in drawn if settings["temperature"] == 2.0]
    assert min(settings["max_new_tokens"] for settings in drawn) == 20
    assert max(settings["max_new_tokens"] for settings in drawn) == 64
    assert len({settings["seed"] for settings in drawn}) == 400
    assert settings_at(1, 7, 20) == drawn[7]


def test_what_is_wrong_is_seen(tiny_model):
    answer, error = tiny_model(picture(), "?", {"max_new_tokens": 24})
    assert error is None
    cut = answer.model_copy(update={"raw_output": '{"vqa":{"answer":"a'})
    assert "JSONDecodeError" in fault(forms()["vqa"], cut, False, 64)
    assert fault(forms()["vqa"], cut, True, 64) == "no thought and answer"
