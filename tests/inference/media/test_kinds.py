from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from vi.inference.media.kinds import HEAD_BYTES, is_clip_name, sniff


@pytest.mark.parametrize(
    ("format", "name"),
    [("PNG", "PNG"), ("JPEG", "JPEG"), ("GIF", "GIF"), ("BMP", "BMP"), ("TIFF", "TIFF"), ("WEBP", "WebP"),
     ("AVIF", "AVIF"), ("JPEG2000", "JPEG 2000"), ("ICO", "ICO"), ("PPM", "PPM"), ("PDF", "PDF")],
)  # fmt: skip
def test_what_pillow_writes_is_known_by_its_first_bytes(encode, format, name):
    kind = sniff(encode(Image.new("RGB", (16, 16)), format)[:HEAD_BYTES])
    assert kind is not None
    assert kind.name == name


@given(st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=600))
def test_words_of_any_language_are_text_even_when_the_head_halves_a_letter(words):
    kind = sniff((f"note: {words} " * 9).encode()[:HEAD_BYTES])
    assert kind is not None
    assert kind.name == "text"


def test_a_letter_that_begins_with_bm_is_no_bitmap():
    kind = sniff(b"BMW sends its regards, and the parts.")
    assert kind is not None
    assert kind.name == "text"


@given(st.binary())
def test_any_bytes_can_be_asked_about(head):
    kind = sniff(head)
    assert kind is None or kind.family in ("picture", "clip", "other")


def test_clips_are_known_by_name_in_any_case():
    assert is_clip_name("a/b.MP4")
    assert not is_clip_name("a.mp4/b.png")
    assert not is_clip_name("mp4")
