"""Names that are on the disk itself, not only in the system's memory."""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Have new names in ``folder`` outlive a power cut. Elsewhere than on POSIX a folder cannot be opened for that, and
    a rename is durable by itself."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
