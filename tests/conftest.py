"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from vi.inference import ViModel

settings.register_profile("no clock", deadline=None)  # a slow machine is not a wrong answer
settings.load_profile("no clock")


@pytest.fixture(autouse=True, scope="session")
def _bundle_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Bundles that tests make, also in the processes they start, are kept for these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VI_BUNDLE_CACHE", str(tmp_path_factory.mktemp("bundles")))
        yield


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2.5-VL folder with random weights: read it, never write into it."""
    from tests.families import tiny_qwen2_5_vl

    return tiny_qwen2_5_vl(tmp_path_factory.mktemp("families") / "tiny-qwen2.5-vl")


@pytest.fixture(scope="session")
def tiny_model(tiny_checkpoint: Path) -> Iterator[ViModel]:
    """The model of ``tiny_checkpoint``: ask it, never close it."""
    from vi.inference import ViModel

    with ViModel(pretrained_model_name_or_path=tiny_checkpoint, device="cpu") as model:
        yield model


@pytest.fixture(autouse=True, scope="session")
def _interruptible():
    """Ctrl-C reaches the tests, and the processes they start, also where a shell started them in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def read_only_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A VI_MODEL_STORE that the test may not write into, whoever runs it. Ask for it after what reads files."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    monkeypatch.setenv("VI_MODEL_STORE", str(folder))
    is_root = os.geteuid() == 0
    try:
        if is_root:  # to whom nothing is forbidden
            os.seteuid(65534)
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)
