"""Clips and bounds on pixels through the command line."""

from __future__ import annotations

import json

import pytest
from tests.inference.media.films import film

from vi.inference.runs import find_run

CAPTION = ("--task", "video-freeform", "--config", '{"max_new_tokens": 80}')


@pytest.fixture
def clips(pictures):
    """``shots`` with a clip of one second beside its pictures."""
    (pictures[0].parent / "clip.mp4").write_bytes(film())
    return pictures[0].parent


def test_a_clip_is_looked_at_so_many_times_a_second(ask, objects, clips):
    for fps in (2, 5):
        (told,) = objects(ask(clips / "clip.mp4", *CAPTION, "--fps", fps, "--json"))
        assert len(told["answer"]["video"]["timestamps"]) == fps


def test_a_folder_stands_for_its_clips_where_the_task_is_about_clips(ask, objects, clips):
    told = objects(ask(clips, *CAPTION, "--json"))
    assert [len(each["answer"]["video"]["timestamps"]) for each in told] == [1, 1, 1, 4]
    assert len(objects(ask(clips, "-p", "What?", "--task", "generic", "--json"))) == 3


def test_a_batch_sees_the_clips_of_a_folder_so_many_times_a_second(vi_infer, clips, tiny_checkpoint, tmp_path):
    asked = ("batch", clips, "-o", tmp_path / "out.jsonl", "--model", tiny_checkpoint, *CAPTION)
    assert vi_infer(*asked, "--fps", "2").exit_code == 0
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 4
    again = vi_infer(*asked, "--fps", "3")
    assert again.exit_code != 0  # another question


def test_fewer_pixels_are_fewer_tokens(ask, objects, pictures):
    told = [
        objects(ask(pictures[0], "-p", "What?", "--task", "generic", "--json", *options))[0]["answer"]["usage"]
        for options in ((), ("--max-pixels", 28 * 28), ("--min-pixels", 20 * 28 * 28))
    ]
    own, fewer, more = (usage["image_tokens"] for usage in told)
    assert fewer < own < more


def test_bounds_that_cannot_be_are_refused(ask, pictures):
    result = ask(pictures[0], "-p", "What?", "--task", "generic", "--max-pixels", "0")
    assert result.exit_code == 2
    assert "max_pixels=0" in result.stderr


def test_the_embedded_run_is_found_to_be_about_pictures(vi_infer, objects, clips):
    assert find_run().record.task_type != "video-freeform"
    assert len(objects(vi_infer("predict", clips, "-p", "What?", "--max-new-tokens", "4", "--json"))) == 3
