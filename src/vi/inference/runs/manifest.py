"""``SHA256SUMS``: the files of a run and their checksums, in the format of the ``sha256sum`` command.

Made with ``cd <run> && find . -type f ! -name SHA256SUMS | xargs sha256sum > SHA256SUMS``.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath

from vi.inference.errors import LoadError

MANIFEST_FILE = "SHA256SUMS"
_LINE = re.compile(r"(?P<digest>[0-9a-fA-F]{64}) [ *](?P<name>.+)")


def parse_manifest(text: str, label: str) -> dict[str, str]:
    """Relative POSIX path → lowercase SHA-256. Raises LoadError for another format or a path that leaves the run."""
    digests: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            hint = "A line is a SHA-256 in hexadecimal, two spaces and a path, as sha256sum writes it."
            raise LoadError(f"{label}, line {number}, is not a checksum: {line[:80]!r}.", hint)
        digests[plain_path(match["name"], f"{label}, line {number}")] = match["digest"].lower()
    return digests


def plain_path(name: str, label: str) -> str:
    """``name`` without a leading ``./``. Raises LoadError where it is absolute, climbs with ``..`` or is hidden."""
    path = PurePosixPath(name)
    if (
        path.is_absolute()
        or "\\" in name
        or ":" in name
        or not path.parts
        or any(p.startswith(".") for p in path.parts)
    ):
        raise LoadError(f"{label}: {name!r} is not a path inside the run.", "Use relative paths with / and no dots.")
    return str(path)


def sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal, read in pieces of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
