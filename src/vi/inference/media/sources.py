"""What a caller passed, told apart and named: files, folders, URLs, encoded pictures, pictures in memory."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image

from ..errors import SourceError
from .encoded import base64_label, data_uri_label, is_base64
from .folders import Listing, list_pictures, nearest_name
from .kinds import clip_error, is_clip_name
from .labels import byte_size, printable, url_label

SourceKind = Literal["file", "url", "data", "base64", "bytes", "image", "array", "unknown"]

_ACCEPTED = (
    "A source is a file or folder path, an http(s) URL, a data: URI, base64, bytes, a PIL image,"
    " a numpy array, or a list of these."
)


@dataclass(frozen=True, eq=False)
class SourceItem:
    """One picture to be: what was passed, a short printable name, and why it is bad where that is already known.

    ``value`` is a Path ("file"), a str ("url", "data", "base64"), bytes, a PIL image or an array.
    """

    kind: SourceKind
    value: Any = field(repr=False)
    label: str
    error: SourceError | None = None


@dataclass(frozen=True, eq=False)
class Sources:
    """The items of one call, in order. ``many`` is True for a list or a folder, whatever its length."""

    items: list[SourceItem]
    many: bool


def expand(source: Any, recursive: bool = False) -> Sources:
    """Tell apart what was passed and list the pictures of folders; decodes nothing and fetches nothing.

    Folders inside a list expand in place. Never raises SourceError: a bad source is an item with an ``error``,
    and a folder without pictures is one such item.
    """
    if isinstance(source, (list, tuple)):
        return Sources([item for each in source for item in _expand_one(each, recursive)], many=True)
    folder = _as_folder(source)
    return Sources(_expand_one(source, recursive), many=folder is not None)


def _expand_one(source: Any, recursive: bool) -> list[SourceItem]:
    folder = _as_folder(source)
    if folder is not None:
        return _folder_items(folder, recursive)
    if isinstance(source, str):
        return [_text_item(source)]
    if isinstance(source, os.PathLike):
        return [_path_item(Path(os.fsdecode(source)))]
    return [_memory_item(source)]


def _as_folder(source: Any) -> Path | None:
    """The folder that ``source`` names, if it does."""
    if isinstance(source, (str, os.PathLike)) and source and os.path.isdir(source):  # noqa: PTH112 - text may be no path
        return Path(os.fsdecode(source))
    return None


def _folder_items(folder: Path, recursive: bool) -> list[SourceItem]:
    label = printable(str(folder))
    try:
        listing = list_pictures(folder, recursive)
    except OSError as error:
        return [_bad(folder, label, f"The folder {label} cannot be read ({error.strerror}).", "", "file")]
    if not listing.entries:
        return [
            _bad(folder, label, f"The folder {label} has no pictures{_skipped(listing)}.", _deeper(recursive), "file")
        ]
    return [_path_item(path, problem) for path, problem in listing.entries]


def _skipped(listing: Listing) -> str:
    counts = [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((listing.num_clips, "video"), (listing.num_others, "other file"))
        if count
    ]
    return f" (it has {' and '.join(counts)})" if counts else ""


def _deeper(recursive: bool) -> str:
    return "" if recursive else "Pass recursive=True to look into its sub-folders."


def _text_item(text: str) -> SourceItem:
    stripped = text.strip()
    if not stripped:
        return _bad(text, "(empty)", "The source is an empty text.", _ACCEPTED)
    if stripped[:5].lower() == "data:":
        return SourceItem("data", stripped, data_uri_label(stripped))
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://|(https?):", stripped, re.IGNORECASE)
    if scheme:
        return _url_item(stripped, (scheme[1] or scheme[2]).lower())
    if not os.path.lexists(text) and is_base64(text):
        return SourceItem("base64", text, base64_label(stripped))
    return _path_item(Path(text))


def _url_item(url: str, scheme: str) -> SourceItem:
    label = url_label(url)
    if scheme not in ("http", "https"):
        hint = "Pass the path itself." if scheme == "file" else "Download it first and pass the file."
        return _bad(url, label, f"{label} cannot be fetched: {scheme} is not http or https.", hint, "url")
    if is_clip_name(label):
        return SourceItem("url", url, label, clip_error(label))
    return SourceItem("url", url, label)


def _path_item(path: Path, problem: str = "") -> SourceItem:
    label = printable(str(path))
    if problem:
        return _bad(path, label, f"{label} cannot be read ({problem}).", "", "file")
    if not os.path.lexists(path):
        hint = nearest_name(path) or "It was taken for a path." * (not path.suffix)
        return _bad(path, label, f"There is no file {label}.", hint, "file")
    if is_clip_name(path.name):
        return SourceItem("file", path, label, clip_error(label))
    return SourceItem("file", path, label)


def _memory_item(source: Any) -> SourceItem:
    if isinstance(source, (bytes, bytearray, memoryview)):
        content = bytes(source)
        return SourceItem("bytes", content, f"bytes ({byte_size(len(content))})")
    if isinstance(source, Image.Image):
        return SourceItem("image", source, f"PIL image ({source.width}x{source.height} {source.mode})")
    if isinstance(source, np.ndarray):
        return SourceItem("array", source, f"array ({'x'.join(map(str, source.shape))} {source.dtype})")
    kind = type(source).__name__
    what = "A list inside a list" if isinstance(source, (list, tuple)) else f"A value of type {kind}"
    return _bad(source, f"({kind})", f"{what} is not a source.", _ACCEPTED)


def _bad(value: Any, label: str, message: str, hint: str, kind: SourceKind = "unknown") -> SourceItem:
    return SourceItem(kind, value, label, SourceError(message, hint))
