import json
import sys

import pytest
from training.workbench import evaluate

from vi.inference import ViModel

GROUNDED = {"grounding_f1", "grounding_iou"}


def run(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["evaluate", *arguments])
    evaluate.main()


def test_an_unknown_type_names_the_nearest(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, "--types", "count,colours")
    assert "'colours' is no type. Did you mean colour?" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--per-type", "--processes"])
def test_a_number_is_1_or_more(monkeypatch, capsys, option):
    with pytest.raises(SystemExit):
        run(monkeypatch, option, "0")
    assert f"{option} takes 1 or more, not 0" in capsys.readouterr().err


def test_a_folder_without_a_model_says_so(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="LoadError"):
        run(monkeypatch, "--run", str(tmp_path), "--quick")


def test_help_has_an_example_of_each_use(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        run(monkeypatch, "--help")
    told = capsys.readouterr().out
    assert all(f"evaluate --{option}" in told for option in ("quick", "run", "types"))


@pytest.mark.slow
def test_the_table_has_a_number_for_every_type():
    with ViModel(show_progress=False) as model:
        table = evaluate.evaluate(model, seed=0, per_type=4)
    assert {*evaluate.TYPES, *GROUNDED, "yes_no_ece", "count_cot", "clip_event"} - {"grounding"} <= table.keys()
    assert all(0 <= value <= 1 for name, value in table.items() if name != "sampled_distinct")


@pytest.mark.slow
def test_processes_side_by_side_answer_as_one_does(monkeypatch, capsys):
    tables = []
    for processes in ("1", "2"):
        run(monkeypatch, "--types", "colour,grounding", "--per-type", "40", "--json", "--processes", processes)
        tables.append(json.loads(capsys.readouterr().out))
    assert tables[0] == tables[1]
    assert tables[0].keys() >= {"colour", *GROUNDED}
