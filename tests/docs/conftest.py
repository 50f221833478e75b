"""A reader's folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vi.workbench import sample


@pytest.fixture
def readers_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory while a page is read: ``image.jpg`` is in it, and no store of runs but its own."""
    shutil.copy(sample("wood.jpg"), tmp_path / "image.jpg")
    monkeypatch.setenv("VI_MODEL_STORE", str(tmp_path / "models"))
    monkeypatch.chdir(tmp_path)
    return tmp_path
