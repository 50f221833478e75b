"""The table of docs/media.md says what the fields of a MediaPolicy are."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

from vi.inference import MediaPolicy

PAGE = (ROOT / "docs" / "media.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("| Field | Default |") : PAGE.index("What is done about it")]


def test_every_field_has_a_row():
    rows = [line.split("|")[1] for line in TABLE.splitlines()[2:] if line]
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == list(MediaPolicy.model_fields)


def test_numbers_are_the_fields_own():
    policy = MediaPolicy()
    said = {
        "max_bytes": f"{policy.max_bytes // 2**20} MiB",
        "max_clip_bytes": f"{policy.max_clip_bytes // 2**30} GiB",
        "max_pixels": f"{policy.max_pixels:,}",
        "cache_bytes": f"{policy.cache_bytes // 2**20} MiB",
        "connect_timeout": f"{policy.connect_timeout:g} s",
        "timeout": f"{policy.timeout:g} s",
        "decode_timeout": f"{policy.decode_timeout:g} s",
        "clip_decode_timeout": f"{policy.clip_decode_timeout:g} s",
        "max_frames": f"{policy.max_frames}",
        "max_redirects": f"{policy.max_redirects}",
        "retries": f"{policy.retries}",
    }
    for name, number in said.items():
        (row,) = (line for line in TABLE.splitlines() if line.startswith(f"| `{name}`"))
        assert f" {number}" in row, row
