"""run.json: every key optional, unknown ones kept, wrong ones named."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.errors import LoadError
from vi.inference.runs.record import RunRecord, parse_record, precision_name, read_record, task_name
from vi.inference.task_types.boxes import CONVENTIONS

SPEC = {
    "task_type": "VQA",
    "supported_tasks": ["vqa", "phrase_grounding", "freeform"],
    "model": {"name": "workbench", "precision": "bf16", "layers": 4},
    "system_prompts": {"vqa": "Answer.", "phrase_grounding": "Ground."},
    "system_prompt": "Be careful.",
    "cot_suffix": "Think first.",
    "boxes": "relative-1000",
    "generation_config": {"temperature": 0.2},
    "dataset": "benches",
}


def test_a_full_record_is_read():
    record = parse_record({"flow": {"spec": SPEC, "id": 7}, "version": 1}, "run.json")
    assert record.task_type == "vqa"
    assert record.supported_tasks == ("vqa", "phrase-grounding", "freeform")
    assert (record.model_name, record.precision, record.boxes) == ("workbench", "bfloat16", "relative-1000")
    assert record.generation_config == {"temperature": 0.2}
    assert record.cot_suffix == "Think first."
    assert record.metadata == {
        "version": 1,
        "flow": {"id": 7, "spec": {"dataset": "benches", "model": {"layers": 4}}},
    }


def test_a_tasks_own_prompt_wins_over_the_one_of_the_run():
    record = parse_record({"flow": {"spec": SPEC}}, "run.json")
    assert record.system_prompt_for("phrase-grounding") == "Ground."
    assert record.system_prompt_for("vqa") == "Answer."
    assert record.system_prompt_for("freeform") is None


def test_the_prompt_of_the_run_is_its_own_tasks():
    record = parse_record({"flow": {"spec": {"task_type": "vqa", "system_prompt": "Be careful."}}}, "run.json")
    assert record.system_prompt_for("vqa") == "Be careful."
    assert record.system_prompt_for("freeform") is None


@pytest.mark.parametrize("value", [{}, {"flow": {}}, {"flow": None}, {"flow": {"spec": {"task_type": None}}}])
def test_every_key_is_optional(value):
    assert parse_record(value, "run.json") == RunRecord()


def test_no_file_is_an_empty_record(tmp_path):
    assert read_record(tmp_path) == RunRecord()


def test_the_only_task_is_supported():
    assert parse_record({"flow": {"spec": {"task_type": "vqa"}}}, "run.json").supported_tasks == ("vqa",)


def test_the_layout_of_blocks_gives_its_system_prompt():
    blocks = [
        {"block": "dataset", "settings": {"id": 3}},
        {"block": "system-prompt", "settings": {"systemPrompt": "Look closely."}},
        {"block": "model", "settings": None},
        "noise",
    ]
    record = parse_record({"spec": {"flow": {"blocks": blocks}}}, "run.json")
    assert record.system_prompt_for("vqa") == "Look closely."
    assert record.metadata["spec"]["flow"]["blocks"] == blocks


def test_unknown_box_units_name_the_nearest(tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"flow": {"spec": {"boxes": "resized-pixel"}}}))
    with pytest.raises(LoadError, match=r"flow\.spec\.boxes is 'resized-pixel'.*Did you mean resized-pixels\?"):
        read_record(tmp_path)


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ({"task_type": 3}, "flow.spec.task_type"),
        ({"system_prompts": {"vqa": 1}}, "flow.spec.system_prompts.vqa"),
        ({"model": "qwen"}, "flow.spec.model"),
        ({"supported_tasks": "vqa"}, "flow.spec.supported_tasks"),
        ({"boxes": 1024}, "flow.spec.boxes"),
        ({"generation_config": []}, "flow.spec.generation_config"),
    ],
)
def test_a_wrong_type_names_the_file_and_the_key(tmp_path, spec, key):
    (tmp_path / "run.json").write_text(json.dumps({"flow": {"spec": spec}}))
    with pytest.raises(LoadError) as caught:
        read_record(tmp_path)
    assert str(tmp_path / "run.json") in str(caught.value)
    assert f"{key} is " in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[1]", '"run"', ""])
def test_a_malformed_file_is_named(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(LoadError, match=r"run\.json"):
        read_record(tmp_path)


@pytest.mark.parametrize("spelling", ["phrase-grounding", "phrase_grounding", "Phrase Grounding", "PhraseGrounding"])
def test_spellings_of_a_task_are_one(spelling):
    assert task_name(spelling) == "phrase-grounding"


@pytest.mark.parametrize("spelling", ["bf16", "bfloat16", "torch.bfloat16", "BFloat16"])
def test_spellings_of_a_precision_are_one(spelling):
    assert precision_name(spelling) == "bfloat16"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["flow", "spec", "blocks", "model", "name", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_a_record_or_a_load_error(value):
    try:
        record = parse_record(value, "run.json")
    except LoadError:
        return
    assert record.boxes in CONVENTIONS
