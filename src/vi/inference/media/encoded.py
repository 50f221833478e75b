"""Pictures written as text: data URIs (RFC 2397) and raw base64 (RFC 4648, either alphabet)."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from ..errors import SourceError
from .kinds import HEAD_BYTES, sniff
from .labels import byte_size, data_label

_LONGEST_NAME = 255  # bytes in one part of a path, on every file system in use
_LONGEST_PATH = 4096
_HEAD_CHARS = HEAD_BYTES * 4 // 3
_TO_STANDARD = str.maketrans("-_", "+/", " \t\r\n\f\v")
_DATA_FORM = "The form is data:image/png;base64,<the picture in base64>."
_PADDED = re.compile(r"[A-Za-z0-9+/_-]{14,}={1,2}")


def is_base64(text: str) -> bool:
    """Whether ``text``, which names no file, is more likely a picture in base64 than a mistyped path.

    It is when its beginning decodes to the first bytes of a known format, when it is a clean run of the
    alphabet that ends in padding, or when it is too long to be a path.
    """
    if len(text) >= 24 and _begins_as_media(text):
        return True
    if len(text) > _LONGEST_PATH or any(len(part.encode("utf-8", "replace")) > _LONGEST_NAME for part in _parts(text)):
        return True
    return _PADDED.fullmatch(text.strip()) is not None


def base64_label(text: str) -> str:
    """``base64 (12 kB)``, the size that of the decoded bytes."""
    return f"base64 ({byte_size(_decoded_length(text))})"


def decode_base64(text: str, label: str) -> bytes:
    """The bytes of ``text``; white space and missing padding are allowed.

    Raises SourceError that says where the text stops being base64; the text itself is not repeated.
    """
    clean = text.translate(_TO_STANDARD)
    body = clean.rstrip("=")
    stray = re.search(r"[^A-Za-z0-9+/]", body)
    if stray:
        shown = f" ({stray[0]!r})" if stray[0].isprintable() and stray[0].isascii() else ""
        raise SourceError(
            f"{label} is malformed base64: character {stray.start() + 1:,} of {len(clean):,}{shown} is not allowed.",
            "It takes A-Z a-z 0-9 + / (or - _) and = at the end.",
        )
    if len(body) % 4 == 1:
        raise SourceError(
            f"{label} is malformed base64: {len(body):,} characters cannot be whole bytes.", "Was it cut off?"
        )
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4))
    except binascii.Error as error:
        raise SourceError(f"{label} is malformed base64 ({error}).") from None


def split_data_uri(text: str) -> tuple[str, str]:
    """A data URI's header (between ``data:`` and the first comma) and its data; raises SourceError without a comma."""
    header, comma, data = text.strip()[len("data:") :].partition(",")
    if not comma:
        raise SourceError("The data: URI has no comma between its header and its data.", _DATA_FORM)
    return header, data


def data_uri_label(text: str) -> str:
    """``data:image/png (12 kB)``, the size that of the decoded bytes."""
    header, _, data = text.strip()[len("data:") :].partition(",")
    is_coded = header.lower().endswith(";base64")
    return data_label(header, _decoded_length(data) if is_coded else len(data))


def decode_data_uri(text: str, label: str) -> bytes:
    """The bytes a data URI carries, base64 or percent-encoded; raises SourceError where it is malformed."""
    header, data = split_data_uri(text)
    if header.replace(" ", "").lower().endswith(";base64"):
        return decode_base64(unquote_to_bytes(data).decode("latin-1") if "%" in data else data, label)
    return unquote_to_bytes(data)


def _decoded_length(text: str) -> int:
    return len(text.rstrip("=")) * 3 // 4


def _begins_as_media(text: str) -> bool:
    head = re.match(r"[A-Za-z0-9+/]*", text[: _HEAD_CHARS * 2].translate(_TO_STANDARD))
    run = head[0] if head else ""
    whole = run[: len(run) // 4 * 4]
    if len(whole) < 24:  # enough for every signature in the table
        return False
    kind = sniff(base64.b64decode(whole))
    return kind is not None and kind.family != "other" and kind.name != "PPM"  # two letters prove nothing


def _parts(text: str) -> list[str]:
    return re.split(r"[/\\]", text)
