"""One source, told apart and named, without opening anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ..errors import SourceError
from .encoded import base64_label, data_uri_label
from .kinds import HEAD_BYTES, is_clip_name, sniff
from .labels import byte_size, printable, url_label
from .policy import MediaPolicy
from .tensors import is_tensor, tensor_label

SourceKind = Literal[
    "file", "url", "data", "base64", "bytes", "stream", "image", "array", "pictures", "clip", "unknown"
]

ACCEPTED = (
    "A source is a file or folder path, a pattern such as shots/*.png, @list.txt, an http(s) or store URL, a data: URI,"
    " base64, bytes, an open file, a PIL image, a numpy array, a tensor, Pictures(...), a Clip, or a list of these."
)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://|(https?|file):", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class SourceItem:
    """One picture or clip to be: what was passed, a short printable name, and why it is bad where that is known.

    ``value`` is a Path ("file"), a str ("url", "data", "base64"), bytes, a file object ("stream"), a PIL image or an
    array (numpy's or torch's), a list of items ("pictures"), or a Clip. ``is_clip`` is true where the name, or the
    first bytes in memory, are a video's.
    """

    kind: SourceKind
    value: Any = field(repr=False)
    label: str
    error: SourceError | None = None
    is_clip: bool = False


def url_scheme(text: str) -> str:
    """The scheme, in lower case, of a text that is a URL with an authority or of the web or a file; else empty."""
    found = _URL.match(text)
    return (found[1] or found[2]).lower() if found else ""


def url_item(url: str, scheme: str, policy: MediaPolicy) -> SourceItem:
    """A URL to be fetched; bad where the policy does not allow its scheme."""
    label = url_label(url)
    if scheme not in policy.schemes:
        allowed = ", ".join(sorted(policy.schemes)) or "none"
        message = f"{label} is not read: {scheme} is not a scheme that the media policy allows (it allows {allowed})."
        return bad_item(url, label, message, "Download it first and pass the file.", "url")
    return SourceItem("url", url, label, is_clip=is_clip_name(label))


def data_item(text: str, policy: MediaPolicy) -> SourceItem:
    """A picture in a data: URI."""
    label = data_uri_label(text)
    if "data" not in policy.schemes:
        return bad_item(text, label, f"{label} is not read: the media policy allows no data: URIs.", "", "data")
    return SourceItem("data", text, label, is_clip=text[5:11].lower() == "video/")


def base64_item(text: str) -> SourceItem:
    """A picture in base64."""
    return SourceItem("base64", text, base64_label(text.strip()))


def memory_item(source: Any) -> SourceItem:
    """What is neither a text nor a path."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        content = bytes(source)
        kind = sniff(content[:HEAD_BYTES])
        is_clip = kind is not None and kind.family == "clip"
        return SourceItem("bytes", content, f"bytes ({byte_size(len(content))})", is_clip=is_clip)
    if isinstance(source, Image.Image):
        return SourceItem("image", source, f"PIL image ({source.width}x{source.height} {source.mode})")
    if isinstance(source, np.ndarray):
        return SourceItem("array", source, f"array ({'x'.join(map(str, source.shape))} {source.dtype})")
    if is_tensor(source):
        return SourceItem("array", source, tensor_label(source))
    if callable(getattr(source, "read", None)):
        return _stream_item(source)
    kind_name = type(source).__name__
    what = "A list inside a list" if isinstance(source, (list, tuple)) else f"A value of type {kind_name}"
    return bad_item(source, f"({kind_name})", f"{what} is not a source.", ACCEPTED)


def bad_item(value: Any, label: str, message: str, hint: str = "", kind: SourceKind = "unknown") -> SourceItem:
    """An item that is known to be bad."""
    return SourceItem(kind, value, label, SourceError(message, hint))


def _stream_item(source: Any) -> SourceItem:
    name = getattr(source, "name", None)
    if not isinstance(name, str):
        return SourceItem("stream", source, "open file")
    name = Path(name).name
    return SourceItem("stream", source, f"open file {printable(name)}", is_clip=is_clip_name(name))
