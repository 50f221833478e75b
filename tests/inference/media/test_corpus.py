"""What ten minutes of fuzzing (benchmarks/fuzz_pictures.py) found to take new ways through the decoders, replayed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from vi.inference.errors import SourceError
from vi.inference.media.image import load_picture
from vi.inference.media.items import memory_item
from vi.inference.media.policy import MediaPolicy

CORPUS = Path(__file__).parent / "picture_corpus.zip"
SMALL = MediaPolicy(max_pixels=1_000_000)


@pytest.mark.filterwarnings("ignore")
def test_every_input_of_the_corpus_is_a_picture_or_a_source_error():
    loaded = refused = 0
    with zipfile.ZipFile(CORPUS) as corpus:
        for name in corpus.namelist():
            try:
                load_picture(memory_item(corpus.read(name)), SMALL)
                loaded += 1
            except SourceError:
                refused += 1
    assert loaded > 20
    assert refused > 50
