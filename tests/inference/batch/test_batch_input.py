"""What a batch can be about, and when two rows of input are the same."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from vi.inference.batch.input import count_input, entries, read_input
from vi.inference.batch.keys import Key, ask_part, model_part
from vi.inference.batch.sizes import picture_size
from vi.inference.errors import SourceError
from vi.inference.generation_config import GenerationConfig
from vi.inference.media.image import load_picture
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand


def names(text, **options):
    return [os.path.basename(entry.label) for entry in entries(read_input(str(text), **options))]  # noqa: PTH119


def key(source, **changes):
    (entry,) = entries([source])
    return replace(entry, row=replace(entry.row, **changes)).key("0" * 12, "1" * 12)


ALL = ["0.png", "1.png", "2.png", "3.png", "4.png"]


def test_a_folder_a_pattern_a_list_and_a_table_are_the_same_pictures(shots):
    (shots / "list.txt").write_text("0.png\n\n# a comment\n1.png\n2.png\n3.png\n4.png\n")
    (shots / "table.csv").write_text("source\n" + "\n".join(ALL))
    (shots / "table.jsonl").write_text("\n".join(f'{{"source": "{name}"}}' for name in ALL))
    for text in (shots, shots / "*.png", f"@{shots / 'list.txt'}", shots / "table.csv", shots / "table.jsonl"):
        assert names(text) == ALL
        assert count_input(str(text)) == 5


def test_a_parquet_table_may_hold_the_pictures_themselves(shots):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    data = [(shots / name).read_bytes() for name in ALL]
    parquet.write_table(pyarrow.table({"source": data, "id": ALL}), shots / "table.parquet")
    found = list(entries(read_input(str(shots / "table.parquet"))))
    assert [entry.row.id for entry in found] == ALL
    assert [entry.row.source.value for entry in found] == data
    assert count_input(str(shots / "table.parquet")) == 5


def test_folders_of_folders_are_looked_into_when_asked(shots):
    (shots / "deep").mkdir()
    (shots / "4.png").rename(shots / "deep" / "4.png")
    assert names(shots) == ALL[:4]
    assert names(shots, recursive=True) == ALL
    assert names(shots / "**" / "4.png") == ["4.png"]


@pytest.mark.parametrize("text", ["nothing.csv", "nothing", "*.gif", "@nothing.txt", "empty"])
def test_a_place_where_there_is_nothing_is_told(shots, text, monkeypatch):
    monkeypatch.chdir(shots)
    (shots / "empty").mkdir()
    with pytest.raises(SourceError):
        count_input(text)


def test_equal_rows_are_objects_of_their_own(shots):
    (row,) = (entry.row for entry in entries([shots / "0.png"]))
    again = [entry.row for entry in entries([row, row])]
    assert again[0] is not again[1]
    assert [each.number for each in again] == [1, 2]


def test_a_key_is_the_same_for_the_same_and_says_what_differs(shots):
    one = key(shots / "0.png")
    assert Key.parse(str(one)) == one
    assert key(f"{shots}/./0.png") == one
    assert key(shots / "0.png", prompt="Why?")._replace(ask=one.ask) == one
    assert key(shots / "0.png", id="7")._replace(source=one.source) == one
    (shots / "0.png").write_bytes((shots / "1.png").read_bytes())
    assert key(shots / "0.png")._replace(content=one.content) == one
    assert key(shots / "0.png") != one


@pytest.mark.parametrize("text", ["", "a.b.c.d.e", "0" * 64, None, 7])
def test_what_is_no_key_is_none(text):
    assert Key.parse(text) is None


def test_pictures_in_memory_are_their_pixels(shots):
    with Image.open(shots / "0.png") as picture:
        array = np.asarray(picture)
        assert key(array) == key(array.copy())
        assert key(picture) == key(picture.copy())
    assert key(array) != key(array[:, ::-1])
    assert key(array) != key(array.reshape(48, 16, 3))


def test_settings_count_by_what_was_set():
    assert ask_part("a", None, GenerationConfig(seed=0)) != ask_part("a", None, GenerationConfig())
    assert ask_part("a", None, GenerationConfig(seed=1, top_k=2)) == ask_part("a", None, {"top_k": 2, "seed": 1})


def test_a_model_is_its_files(tmp_path):
    for name in ("config.json", "model.safetensors", "README.md"):
        (tmp_path / name).write_text(name)
    part = model_part(tmp_path, None)
    (tmp_path / "README.md").write_text("New words.")
    assert model_part(tmp_path, None) == part
    (tmp_path / "model.safetensors").write_text("model.safetensorz")
    assert model_part(tmp_path, None) != part


def test_a_file_that_the_policy_forbids_is_not_looked_at(shots, tmp_path):
    (allowed,) = entries([shots / "0.png"], MediaPolicy(roots=(shots,)))
    (forbidden,) = entries([shots / "0.png"], MediaPolicy(roots=(tmp_path / "other",)))
    (missing,) = entries([shots / "9.png"])
    parts = [entry.key("0" * 12, "1" * 12).content for entry in (allowed, forbidden, missing)]
    assert parts[0] != parts[1] == parts[2]
    assert picture_size(forbidden.row.source, forbidden.policy) is None


@pytest.mark.skipif(os.name == "nt", reason="pipes with names are POSIX's")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    key(tmp_path / "pipe.png")


def test_a_large_file_is_known_by_pieces_of_all_of_it(tmp_path, monkeypatch):
    monkeypatch.setattr("vi.inference.batch.keys._CHUNK", 16)
    monkeypatch.setattr("vi.inference.batch.keys._WHOLE", 64)
    weights = tmp_path / "model.safetensors"
    data = bytearray(1000)
    weights.write_bytes(data)
    part = model_part(tmp_path)
    for place in (0, 999, 330):
        data[place] = 1
        weights.write_bytes(data)
        assert model_part(tmp_path) != part
        data[place] = 0


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("orientation", [None, 1, 6, 8])
def test_a_pictures_size_is_the_one_it_is_decoded_to(tmp_path, suffix, orientation):
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (30, 20)).save(path, exif=exif)
    for source in (path, path.read_bytes(), Image.open(path), np.zeros((20, 30, 3), np.uint8)):
        (item,) = expand(source).items
        assert picture_size(item, MediaPolicy()) == load_picture(item).original_size


def test_a_size_that_cannot_be_told_is_none(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    for source in (tmp_path / "a.png", tmp_path / "b.png", "https://host/a.png"):
        (item,) = expand(source).items
        assert picture_size(item, MediaPolicy()) is None
