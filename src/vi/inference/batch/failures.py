"""What can be wrong with the output, as errors that say what stays."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vi.inference.errors import ConfigError, ViError


class OutputError(ViError):
    """An output that can no longer be written; every row written before is whole, and the same call goes on there."""

    retryable = True


class OutputMismatch(ConfigError):
    """A file at the output's place that is not one of ours, or whose rows answer something else."""


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST}


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """An OutputError or ConfigError in place of an OSError."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        if error.errno in _FORBIDDEN:
            raise ConfigError(f"{path} cannot be written ({why}).", "Name another place.") from None
        hint = "Make room" if error.errno in _FULL else "See to it"
        raise OutputError(
            f"{path} cannot be written any further ({why}).",
            f"What was written stays. {hint}, then run the same again: it goes on there.",
        ) from None
