"""The bytes of a source, as an open file: read, fetched or decoded, within the policy's bounds."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, cast

from ..errors import SourceError
from .encoded import decode_base64, decode_data_uri
from .fetch import download
from .items import SourceItem, url_scheme
from .labels import byte_size
from .opening import open_file
from .policy import WEB, MediaPolicy
from .stores import download_from_store


@contextmanager
def open_content(item: SourceItem, policy: MediaPolicy) -> Iterator[BinaryIO]:
    """The content of a file, URL, text, bytes or stream, as a file that stands at its beginning and can be sought in.

    A clip is fetched into a temporary file, a picture into memory. Raises SourceError that says what is wrong with the
    source (SourceUnreachable where trying again may help).
    """
    if item.error is not None:
        raise item.error
    with _open(item, policy) as file:
        yield file


def _open(item: SourceItem, policy: MediaPolicy) -> BinaryIO:
    max_bytes = policy.max_clip_bytes if item.is_clip else policy.max_bytes
    if item.kind == "file":
        return open_file(item.value, item.label, policy)
    if item.kind == "url":
        return _fetched(item, policy, max_bytes)
    if item.kind == "stream":
        return io.BytesIO(_read(item.value, item.label, max_bytes))
    if item.kind in ("data", "base64"):
        _check_text(item, max_bytes)
        decode = decode_data_uri if item.kind == "data" else decode_base64
        return io.BytesIO(decode(item.value, item.label))
    if item.kind == "bytes":
        return io.BytesIO(item.value)
    raise SourceError(f"{item.label} has no bytes to be read: it is decoded already.")


def _fetched(item: SourceItem, policy: MediaPolicy, max_bytes: int) -> BinaryIO:
    into = cast(BinaryIO, tempfile.TemporaryFile()) if item.is_clip else io.BytesIO()  # noqa: SIM115
    try:
        if url_scheme(item.value) in WEB:
            download(item.value, into, policy, max_bytes)
        else:
            download_from_store(item.value, into, policy, max_bytes)
    except BaseException:
        into.close()
        raise
    into.seek(0)
    return into


def _check_text(item: SourceItem, max_bytes: int) -> None:
    if len(item.value) > max_bytes * 4 // 3 + 1024:  # three bytes take four letters, and a header its own
        raise SourceError(f"{item.label} is too long; at most {byte_size(max_bytes)} are decoded.", "Pass a path.")


def _read(stream: Any, label: str, max_bytes: int) -> bytes:
    """The rest of a caller's open file, from where it stands."""
    try:
        content = stream.read(max_bytes + 1)
    except Exception as error:  # a closed file, or an object of the caller's own making
        raise SourceError(f"{label} cannot be read ({type(error).__name__}).", "Is it still open?") from error
    if not isinstance(content, (bytes, bytearray)):
        raise SourceError(f"{label} does not give bytes.", "Open it in binary mode: open(path, 'rb').")
    if len(content) > max_bytes:
        raise SourceError(f"{label} has more than {byte_size(max_bytes)}.", "Pass a path, or raise the policy's limit.")
    return bytes(content)
