"""Tiny checkpoints, the bundles made of them, and the runners of those."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vi.inference.bundle.layout import Bundle
from vi.inference.runs.files import RunFiles


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], RunFiles]:
    """A family's tiny checkpoint, written once: read it, never write into it."""
    from tests.families import TINY

    folder = tmp_path_factory.mktemp("checkpoints")

    def write(family: str) -> RunFiles:
        path = folder / family
        return RunFiles(None, path if path.exists() else TINY[family](path), name=family)

    return write


@pytest.fixture(scope="session")
def converted(
    tiny_files: Callable[[str], RunFiles], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Bundle]:
    """A family's tiny checkpoint as a bundle, made once: read it, never write into it."""
    from vi.inference.bundle.convert import convert
    from vi.inference.bundle.layout import read_bundle

    folder = tmp_path_factory.mktemp("bundles")

    def make(family: str) -> Bundle:
        path = folder / family
        return read_bundle(path) if path.exists() else convert(tiny_files(family), path)

    return make
