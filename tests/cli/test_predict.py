"""``vi-infer predict``, on a real checkpoint whose answers are noise."""

from __future__ import annotations

import pytest
from PIL import Image

from vi.inference import ConfigError, GenerationConfig, ViModel
from vi.inference.task_types import FreeformResponse, GenericResponse


@pytest.fixture(scope="module")
def model(tiny_checkpoint):
    with ViModel(pretrained_model_name_or_path=tiny_checkpoint) as model:
        yield model


def test_a_pipe_gets_the_answer_that_python_gets_and_nothing_else(ask, model, pictures):
    result = ask(pictures[0], "-p", "Say something", "--task", "generic")
    answer, error = model(pictures[0], "Say something", {"max_new_tokens": 12}, task_type="generic")
    assert error is None
    assert result.stdout == f"{answer}\n"
    assert result.exit_code == 0


def test_several_sources_are_answered_in_order_after_their_names(ask, pictures):
    result = ask(pictures[2], pictures[0], "-p", "Name it", "--do-sample", "--stop-strings", "\n")
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == [str(pictures[2]), str(pictures[0])]


def test_json_is_one_object_per_source_and_the_answer_round_trips(ask, objects, pictures):
    result = ask(*pictures, "-p", "Describe it", "--json", "--logprobs", "2")
    assert [each["source"] for each in objects(result)] == [str(path) for path in pictures]
    for each in objects(result):
        answer = each["answer"]
        kind = GenericResponse if isinstance(answer["result"], str) else FreeformResponse
        assert kind.model_validate(answer).model_dump(mode="json") == answer


def test_a_bad_source_among_good_ones_is_told_in_its_place(ask, objects, pictures):
    missing = pictures[0].with_name("9.png")
    result = ask(pictures[0], missing, pictures[1], "-p", "What is it?", "--json")
    first, bad, last = objects(result)
    assert result.exit_code == 1
    assert bad == {"source": str(missing), "error": {"type": "SourceError", "message": bad["error"]["message"]}}
    assert "answer" in first
    assert "answer" in last
    assert result.stderr.splitlines() == [f"SourceError: {bad['error']['message']}"]


def test_each_source_gets_its_own_prompt(ask, objects, pictures):
    result = ask(*pictures, "-p", "one", "-p", "two", "-p", "three", "--json")
    assert [each["answer"]["prompt"] for each in objects(result)] == ["one", "two", "three"]


def test_sources_that_are_all_bad_are_bad_input_and_no_model_is_looked_for(vi_infer, objects, tmp_path):
    result = vi_infer("predict", tmp_path / "a.png", tmp_path, "-p", "x", "--run-id", "no-such-run", "--json")
    assert result.exit_code == 2
    assert [each["error"]["type"] for each in objects(result)] == ["SourceError", "SourceError"]
    assert "--recursive" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--task", "vqq"], "ConfigError: task_type='vqq' is not a task. Did you mean vqa?"),
        (["--temperature", "3"], "ConfigError: temperature=3 is out of range; it takes 0.0 to 2.0."),
        (["--preset", "detaild"], "ConfigError: 'detaild' is not a preset. Did you mean detailed?"),
        (["--prompt", "second", "--prompt", "third"], "PromptError: There are 3 prompts for 1 source."),
        (["--run-id", "x"], "ConfigError: --run-id and --model exclude each other. Leave --run-id out."),
    ],
)
def test_what_is_wrong_with_the_whole_call_is_one_line_and_one_object_per_source(
    ask, objects, pictures, arguments, told
):
    result = ask(pictures[0], "-p", "first", *arguments, "--json")
    assert result.exit_code == 2
    assert result.stderr.startswith(told)
    assert len(result.stderr.splitlines()) == 1
    (refused,) = objects(result)
    assert f"{refused['error']['type']}: {refused['error']['message']}\n" == result.stderr


def test_a_model_that_does_not_exist_is_bad_input(vi_infer, pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("VI_MODEL_STORE", str(tmp_path / "store"))
    result = vi_infer("predict", pictures[0], "-p", "x", "--run-id", "no-such-run")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("LoadError: There is no run 'no-such-run'.")


def test_a_prompt_that_is_missing_names_the_option(ask, pictures):
    result = ask(pictures[0], "--task", "vqa")
    assert result.exit_code == 2
    assert result.stderr == 'PromptError: vqa needs a prompt. Pass -p "…".\n'


def test_a_wrong_value_is_told_as_in_python(ask, pictures):
    result = ask(pictures[0], "-p", "x", "--temperature", "2.6", "--top-k", "none")
    with pytest.raises(ConfigError) as python:
        GenerationConfig(temperature=2.6)
    assert (result.exit_code, result.stderr) == (2, f"ConfigError: {python.value}\n")


def test_a_folder_is_its_pictures_and_recursive_looks_deeper(ask, objects, pictures):
    deep = pictures[0].parent / "deep"
    deep.mkdir()
    pictures[2].rename(deep / "2.png")
    folder = pictures[0].parent
    assert len(objects(ask(folder, "-p", "x", "--json"))) == 2
    assert len(objects(ask(folder, "-p", "x", "--json", "--recursive"))) == 3


def test_thinking_comes_first_with_cot(ask, objects, pictures):
    (told,) = objects(ask(pictures[0], "-p", "x", "--cot", "--json", "--max-new-tokens", "60"))
    assert told["answer"]["raw_output"].startswith("<think>")
    assert told["answer"]["generation"]["max_new_tokens"] == {"value": 60, "origin": "call"}


def test_a_stream_writes_the_models_own_text(ask, objects, pictures):
    plain = ask(pictures[0], "-p", "x", "--json")
    streamed = ask(pictures[0], "-p", "x", "--stream")
    (told,) = objects(plain)
    assert streamed.stdout == told["answer"]["raw_output"] + "\n"


def test_a_stream_beside_json_is_progress_on_standard_error(ask, objects, pictures):
    result = ask(*pictures[:2], pictures[0].with_name("9.png"), "-p", "x", "--json", "--stream")
    told = objects(result)
    assert [list(each) for each in told] == [["source", "answer"], ["source", "answer"], ["source", "error"]]
    assert all(each["answer"]["raw_output"] in result.stderr for each in told[:2])
    assert result.exit_code == 1


def test_a_warning_is_told_once_for_all_sources(ask, pictures):
    result = ask(*pictures, "-p", "x", "--temperature", "0.7")
    assert result.stderr.count("temperature=0.7 has no effect") == 1


def test_one_answer_is_drawn_into_the_named_picture(ask, pictures, tmp_path):
    out = tmp_path / "new" / "drawn.jpg"
    result = ask(pictures[0], "-p", "x", "--save-image", out)
    assert result.stderr == f"Drawn: {out}\n"
    with Image.open(out) as drawn:
        assert drawn.format == "JPEG"
        assert drawn.height > 48


def test_several_answers_are_drawn_into_a_folder(ask, pictures, tmp_path):
    ask(*pictures, "-p", "x", "--save-image", tmp_path / "drawn")
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["0.png", "1.png", "2.png"]
