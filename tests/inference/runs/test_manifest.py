"""SHA256SUMS: what sha256sum writes is read, what could leave the run's folder is not."""

from __future__ import annotations

import hashlib

import pytest

from vi.inference.errors import LoadError
from vi.inference.runs.manifest import parse_manifest, sha256

DIGEST = "ab" * 32


def test_both_modes_of_sha256sum_are_read():
    text = f"{DIGEST}  ./model/config.json\n{DIGEST.upper()} *model/a b.bin\n\n"
    assert parse_manifest(text, "x") == {"model/config.json": DIGEST, "model/a b.bin": DIGEST}


@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "model/../../x", "C:\\x", "C:x", ".plan.json", "model/.x", "."]
)
def test_a_path_that_leaves_the_run_is_refused(name):
    with pytest.raises(LoadError, match="line 1"):
        parse_manifest(f"{DIGEST}  {name}\n", "SHA256SUMS")


@pytest.mark.parametrize("line", ["<html>", "abc  model/x", f"{DIGEST}model/x", f"{DIGEST}  "])
def test_another_format_is_refused_with_its_line(line):
    with pytest.raises(LoadError, match="line 2"):
        parse_manifest(f"\n{line}\n", "SHA256SUMS")


def test_a_files_checksum_is_hashlibs(tmp_path):
    (tmp_path / "x").write_bytes(bytes(3_000_000))
    assert sha256(tmp_path / "x") == hashlib.sha256(bytes(3_000_000)).hexdigest()
