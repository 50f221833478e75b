"""Fuzz the decoding of pictures with atheris: any bytes are a picture or a SourceError.

    unzip tests/inference/media/picture_corpus.zip -d CORPUS
    python benchmarks/fuzz_pictures.py CORPUS [libFuzzer options, such as -max_total_time=600]

Needs ``atheris``. Inputs that reach new code are added to the folder CORPUS; picture_corpus.zip has those of
ten minutes, which the tests replay.
"""

from __future__ import annotations

import logging
import sys
import warnings

import atheris

with atheris.instrument_imports(include=["PIL", "vi.inference.media"]):
    from PIL import Image

    Image.init()
    from vi.inference.errors import SourceError
    from vi.inference.media.image import load_picture
    from vi.inference.media.items import memory_item
    from vi.inference.media.policy import MediaPolicy

SMALL = MediaPolicy(max_pixels=1_000_000, decode_timeout=5.0)


def one_input(content: bytes) -> None:
    try:
        picture = load_picture(memory_item(content), SMALL, at_most_pixels=4096 if len(content) % 2 else None)
    except SourceError as error:
        if not str(error).isprintable():
            raise
    else:
        if picture.pixels.mode != "RGB":
            raise AssertionError(picture.pixels.mode)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
