"""Files in the stores that fsspec knows (S3, Google Cloud, Azure, the hub, its memory), by URL."""

from __future__ import annotations

from typing import Any, BinaryIO
from urllib.parse import urlsplit

import fsspec
from fsspec.registry import known_implementations

from ..errors import SourceError, SourceUnreachable
from .background import within
from .labels import byte_size, url_label
from .policy import MediaPolicy
from .urls import check_allowed

_CHUNK = 2**20


def download_from_store(url: str, into: BinaryIO, policy: MediaPolicy, max_bytes: int) -> None:
    """Write the file behind ``url`` to ``into``, with the credentials that its client finds on this machine.

    Raises SourceError where it is not there, not allowed, larger than ``max_bytes`` or its client is not installed;
    SourceUnreachable for any other failure. No error repeats what a client says, as that may hold credentials.
    """
    label = url_label(url)
    scheme, _, rest = url.partition("://")
    if "::" in rest:
        raise SourceError(f"{label} is refused: it chains several addresses with ::.", "Pass the last file itself.")
    check_allowed(scheme.lower(), urlsplit(url).hostname or "", label, policy)
    try:  # a client gives no time limit that holds, so it works aside
        within(policy.timeout, lambda: _copy(f"{scheme.lower()}://{rest}", label, into, max_bytes))
    except SourceError:
        raise
    except TimeoutError:
        raise SourceUnreachable(
            f"{label} cannot be reached (it was not complete after {policy.timeout:g} s).", "Try again."
        ) from None
    except (FileNotFoundError, IsADirectoryError):
        raise SourceError(f"{label} is not there.", "Check the address.") from None
    except PermissionError:
        raise SourceError(f"{label} may not be read.", "Check the credentials of this machine.") from None
    except (ImportError, ValueError) as error:
        raise SourceError(f"{label} cannot be read.", _install(scheme.lower(), error)) from None
    except Exception as error:  # each client has its own family
        name = type(error).__name__
        raise SourceUnreachable(f"{label} cannot be reached ({name}).", "Check address and credentials.") from None


def _copy(url: str, label: str, into: BinaryIO, max_bytes: int) -> None:
    filesystem, path = fsspec.url_to_fs(url)
    size: Any = filesystem.info(path).get("size")
    if isinstance(size, int) and size > max_bytes:
        raise SourceError(f"{label} has {byte_size(size)}; at most {byte_size(max_bytes)} are fetched.")
    with filesystem.open(path, "rb") as file:
        left = max_bytes
        while chunk := file.read(min(_CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise SourceError(f"{label} has more than {byte_size(max_bytes)}; no more are fetched.")
            into.write(chunk)


def _install(scheme: str, error: Exception) -> str:
    known = known_implementations.get(scheme, {}).get("err", "")
    return f"{known}." if isinstance(error, ImportError) and known else "Check the address."
