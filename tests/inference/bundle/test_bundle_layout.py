"""A bundle's folder is what its manifest says, or it is not read."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.inference.bundle.small import FACTS, TABLE, write_small_bundle

from vi.inference.bundle import layout
from vi.inference.bundle.layout import VERSION, is_bundle, read_bundle
from vi.inference.errors import LoadError


@pytest.fixture
def folder(tmp_path):
    return write_small_bundle(tmp_path / "bundle")


def spoil(folder, **changes):
    manifest = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(manifest | changes))


def test_what_was_written_is_what_is_read(folder):
    bundle = read_bundle(folder)
    assert is_bundle(folder)
    assert bundle.facts == FACTS
    np.testing.assert_array_equal(bundle.table(), TABLE)


def test_a_missing_file_is_named(folder):
    (folder / "vision.bin").unlink()
    with pytest.raises(LoadError, match=r"lacks vision\.bin.*vi-infer convert"):
        read_bundle(folder)


def test_a_file_of_the_wrong_size_is_named_with_both_sizes(folder):
    (folder / "config.json").write_text("{}")
    with pytest.raises(LoadError, match=r"config\.json has 2 bytes; its bundle states 11"):
        read_bundle(folder)


def test_one_changed_letter_is_noticed(folder):
    (folder / "language.xml").write_text("language.xmI")
    with pytest.raises(LoadError, match=r"language\.xml is not the file its bundle was made with"):
        read_bundle(folder)


def test_large_files_are_read_only_when_asked_for(folder, monkeypatch):
    monkeypatch.setattr(layout, "READ_WHOLE", 4)
    (folder / "language.xml").write_text("language.xmI")
    assert read_bundle(folder).facts == FACTS
    with pytest.raises(LoadError, match=r"language\.xml"):
        read_bundle(folder, verify=True)


def test_a_newer_layout_says_what_to_install(folder):
    spoil(folder, version=VERSION + 1)
    with pytest.raises(LoadError, match=rf"layout {VERSION + 1}.*Install a newer vi-inference"):
        read_bundle(folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": "?"}'])
def test_what_is_no_manifest_is_told_so(folder, text):
    (folder / "bundle.json").write_text(text)
    with pytest.raises(LoadError, match="is not a bundle's manifest"):
        read_bundle(folder)


def test_a_wrong_fact_is_told_by_its_place(folder):
    spoil(folder, facts=FACTS.model_dump() | {"axes": 2})
    with pytest.raises(LoadError, match=r"facts\.axes is wrong"):
        read_bundle(folder)


def test_a_file_outside_the_folder_is_refused(folder):
    spoil(folder, files={"../config.json": {"size": 1, "sha256": "0" * 64}})
    with pytest.raises(LoadError, match="outside its folder"):
        read_bundle(folder)
