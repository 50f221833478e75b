"""Sources that cannot be answered, alone and among good ones, and unusual ones that can."""

from __future__ import annotations

import base64
import io
import os
import shutil
import socket
import uuid

import fsspec
import numpy as np
import pytest
from PIL import Image
from tests.inference.asking import GREEDY, answer, failure, picture

from vi.inference import LoadError, PromptError, SourceError, SourceUnreachable, ViModel


@pytest.fixture
def ask(tiny_model):
    return lambda source, prompt="What is it?", **options: tiny_model(
        source, prompt, GREEDY, task_type="generic", **options
    )


def png(image=None):
    buffer = io.BytesIO()
    (image or picture()).save(buffer, "PNG")
    return buffer.getvalue()


def nobody_listens():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{held.getsockname()[1]}/picture.png"


def text_named_jpg(folder):
    (folder / "notes.jpg").write_text("Buy milk.")
    return folder / "notes.jpg"


def truncated_png(folder):
    (folder / "cut.png").write_bytes(png()[:3112])
    return folder / "cut.png"


def zero_bytes(folder):
    (folder / "empty.png").touch()
    return folder / "empty.png"


def clip(folder):
    (folder / "clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(16))
    return folder / "clip.mp4"


BAD = {
    "missing file": (lambda folder: folder / "shot1.pgn", "There is no file"),
    "text named .jpg": (text_named_jpg, "its content is text"),
    "truncated PNG": (truncated_png, "PNG, cut off after 3,112 of"),
    "zero bytes": (zero_bytes, "is empty (0 bytes)"),
    "a damaged clip": (clip, "is not a clip that can be read"),
    "malformed base64": (lambda _: "data:image/png;base64,iVBORw0KGgo*AAA", "malformed base64: character 12"),
    "raw base64 cut off": (lambda _: base64.b64encode(png()).decode()[:1001], "cannot be whole bytes. Was it cut off?"),
    "a number": (lambda _: 3, "A value of type int is not a source"),
    "nothing": (lambda _: None, "A value of type NoneType is not a source"),
    "an empty text": (lambda _: "", "empty text"),
    "an open text file": (lambda folder: open(zero_bytes(folder)), "Open it in binary mode"),  # noqa: SIM115, PTH123
    "no pixels": (lambda _: np.zeros((0, 4, 3), np.uint8), "no pixels"),
}


@pytest.mark.parametrize("make", [row[0] for row in BAD.values()], ids=BAD)
def test_a_bad_source_is_an_error_and_in_a_list_only_in_its_place(ask, tmp_path, make):
    source = make(tmp_path)
    said = next(row[1] for row in BAD.values() if row[0] is make)
    error = failure(ask(source))
    assert isinstance(error, SourceError)
    assert said in str(error)
    outcomes = ask([picture(), source, picture((30, 90))])
    assert [answer(outcomes[0]).raw_output, answer(outcomes[2]).raw_output] == [
        answer(ask(picture(size))).raw_output for size in ((64, 48), (30, 90))
    ]
    assert str(failure(outcomes[1])) == str(error)


def test_a_mistyped_name_is_told_the_nearest(ask, tmp_path):
    picture().save(tmp_path / "shot1.png")
    assert "Did you mean shot1.png?" in str(failure(ask(tmp_path / "shot1.pgn")))


def test_an_unreachable_url_says_that_trying_again_may_help(ask, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (outcome, good) = ask([nobody_listens(), picture()])
    error = failure(outcome)
    assert isinstance(error, SourceUnreachable)
    assert error.retryable
    assert "the connection was refused" in str(error)
    assert answer(good)


def test_a_folder_without_pictures_says_what_it_has(ask, tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    (outcome,) = ask(tmp_path)
    assert "has no pictures (it has 1 other file)" in str(failure(outcome))
    assert "recursive=True" in str(failure(outcome))


def test_a_folder_with_one_bad_picture_answers_the_others(ask, tmp_path):
    for name in ("1.png", "3.png"):
        picture().save(tmp_path / name)
    (tmp_path / "2.png").write_bytes(png()[:100])
    outcomes = ask(tmp_path)
    assert [error is None for _, error in outcomes] == [True, False, True]
    assert "2.png is not a picture that can be read" in str(failure(outcomes[1]))


@pytest.mark.parametrize("prompts", [["a"], ["a", "b", "c"]])
def test_prompts_of_another_count_than_the_sources_are_refused(ask, prompts):
    with pytest.raises(PromptError, match=rf"{len(prompts)} prompts for 2 sources"):
        ask([picture(), picture()], prompts)


def test_a_list_of_prompts_for_one_source_is_refused_unless_it_is_one(ask):
    assert "2 prompts for 1 source." in str(failure(ask(picture(), ["a", "b"])))
    assert answer(ask(picture(), ["a"])).raw_output == answer(ask(picture(), "a")).raw_output


@pytest.mark.parametrize("prompt", ["", "  \n", b"What?", 7, "\ud800"])
def test_a_prompt_that_is_empty_or_no_text_is_refused(ask, prompt):
    assert isinstance(failure(ask(picture(), prompt)), PromptError)


def test_an_empty_prompt_for_all_is_raised(ask):
    with pytest.raises(PromptError, match="empty"):
        ask([picture(), picture()], "")


UNUSUAL = {
    "four channels": picture().convert("RGBA"),
    "palette": picture().convert("P"),
    "palette with transparency": picture().convert("RGBA").convert("PA"),
    "black and white": picture().convert("1"),
    "grey": picture().convert("L"),
    "CMYK": picture().convert("CMYK"),
    "16 bits": Image.fromarray((np.arange(64 * 48, dtype=np.uint16) * 21).reshape(48, 64)),
    "floating point": picture().convert("F"),
    "1x1": Image.new("RGB", (1, 1), "red"),
    "1 pixel high": Image.new("RGB", (40, 1), "red"),
}


@pytest.mark.parametrize("image", UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_pictures_are_answered(ask, image):
    assert answer(ask(image)).usage.image_tokens > 0


@pytest.mark.parametrize(("name", "mode"), [("a.png", "RGBA"), ("a.png", "P"), ("a.png", "I;16"), ("a.jpg", "CMYK")])
def test_unusual_files_are_answered_as_their_pixels_are(ask, tmp_path, name, mode):
    image = UNUSUAL["16 bits"] if mode == "I;16" else picture().convert(mode)
    image.save(tmp_path / name)
    with Image.open(tmp_path / name) as opened:
        assert opened.mode == mode
        assert answer(ask(tmp_path / name)).raw_output == answer(ask(opened)).raw_output


def test_a_picture_as_bytes_text_or_array_is_the_same_picture(ask):
    data = base64.b64encode(png()).decode()
    sources = [png(), data, f"data:image/png;base64,{data}", np.asarray(picture()), picture()]
    assert len({answer(outcome).raw_output for outcome in ask(sources)}) == 1


def test_a_picture_of_an_impossible_shape_says_so(ask):
    error = failure(ask(Image.new("RGB", (5000, 1))))
    assert isinstance(error, PromptError)
    assert "5000x1" in str(error)


def test_a_missing_run_names_the_runs_there_are(tmp_path, tiny_checkpoint):
    shutil.copytree(tiny_checkpoint, tmp_path / "bolts" / "model")
    with pytest.raises(LoadError, match=r"There is no run 'blots'.*Runs: bolts, workbench"):
        ViModel("blots", save_path=tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_store_without_write_permission_says_so(remote_bolts, read_only_store):
    with pytest.raises(LoadError, match=r"cannot be written \(Permission denied\).*VI_MODEL_STORE"):
        ViModel("bolts", save_path=remote_bolts)


@pytest.fixture
def remote_bolts(tiny_checkpoint):
    url = f"memory://{uuid.uuid4().hex}"
    fs, root = fsspec.core.url_to_fs(url)
    fs.put(str(tiny_checkpoint), f"{root}/bolts/model", recursive=True)
    yield url
    fs.rm(root, recursive=True)
