from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vi.inference.media.labels import MAX_LABEL, byte_size, data_label, printable, url_label


@given(st.text(max_size=2000))
def test_a_label_is_one_short_printable_line(text):
    assert printable(text).isprintable()
    assert len(printable(text)) <= MAX_LABEL


def test_a_long_name_keeps_both_ends():
    label = printable("shots/" + "x" * 5000 + "/last.png")
    assert label.startswith("shots/")
    assert label.endswith("last.png")


def test_escapes_for_the_terminal_are_written_out():
    assert printable("a\x1b[31m\n.png") == "a\\x1b[31m\\n.png"


def test_sizes_are_for_people():
    assert [byte_size(n) for n in (0, 1, 999, 12_345, 999_900, 3_400_000)] == [
        "0 bytes", "1 byte", "999 bytes", "12.3 kB", "1 MB", "3.4 MB",
    ]  # fmt: skip


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=3, max_size=12))
def test_no_password_and_no_query_survives(secret):
    secret = f"<{secret}>".replace("<", "zq").replace(">", "qz")
    for url in (f"https://me:{secret}@h.org/a?k={secret}#{secret}", f"https:/{secret}@x", f"http://u:{secret}@h:bad/"):
        assert secret.lower() not in url_label(url).lower()


def test_a_data_label_shows_its_media_type_only():
    assert data_label("image/png;name=secret;base64", 12_000) == "data:image/png (12 kB)"
    assert data_label("<script>", 5) == "data: (5 bytes)"
