from __future__ import annotations

import base64
import textwrap
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.errors import SourceError
from vi.inference.media.encoded import decode_base64, decode_data_uri


@given(st.binary(min_size=1), st.booleans(), st.booleans(), st.integers(10, 80))
def test_base64_comes_back_in_either_alphabet_wrapped_or_not_padded_or_not(content, urlsafe, padded, width):
    text = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(content).decode()
    text = text if padded else text.rstrip("=")
    assert decode_base64(textwrap.fill(text, width), "it") == content


@given(st.binary())
def test_data_uris_carry_base64_or_percent_encoding(content):
    assert decode_data_uri(f"data:image/png;base64,{base64.b64encode(content).decode()}", "it") == content
    assert decode_data_uri(f"data:image/png;base64,{quote(base64.b64encode(content), safe='')}", "it") == content
    assert decode_data_uri(f"data:image/png,{quote(content, safe='')}", "it") == content


def test_a_stray_character_is_found_and_the_text_is_not_repeated():
    with pytest.raises(SourceError, match=r"character 9 of 16 \('!'\)") as caught:
        decode_base64("iVBORw0K!goAAAAN", "base64 (12 bytes)")
    assert "iVBOR" not in str(caught.value)


def test_a_length_that_cannot_be_bytes_is_said_to_be_cut_off():
    with pytest.raises(SourceError, match="17 characters cannot be whole bytes"):
        decode_base64("iVBORw0KGgoAAAANS", "base64")


def test_a_data_uri_without_a_comma_shows_the_form():
    with pytest.raises(SourceError, match="no comma"):
        decode_data_uri("data:image/png;base64", "it")
