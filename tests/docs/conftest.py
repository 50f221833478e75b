"""A reader's folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.inference.media.films import film

from vi.workbench import sample


@pytest.fixture
def readers_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory while a page is read: ``image.jpg`` and ``clip.mp4`` are in it, and a store of its own."""
    shutil.copy(sample("wood.jpg"), tmp_path / "image.jpg")
    (tmp_path / "clip.mp4").write_bytes(film())
    monkeypatch.setenv("VI_MODEL_STORE", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    return tmp_path
