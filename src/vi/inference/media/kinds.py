"""What a file is, told from its first bytes or its name."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Literal, NamedTuple

from ..errors import SourceError

HEAD_BYTES = 1024
"""As many first bytes as ``sniff`` looks at."""


def _suffixes(names: str) -> frozenset[str]:
    return frozenset(f".{name}" for name in names.split())


PICTURE_SUFFIXES = _suffixes(
    "jpg jpeg jpe jfif png apng bmp dib gif tif tiff webp avif jp2 j2k jpx ico icns"
    " ppm pgm pbm pnm pfm tga pcx qoi dds sgi psd mpo heic heif"
)
CLIP_SUFFIXES = _suffixes("mp4 m4v mov qt webm mkv avi wmv asf flv f4v mpg mpeg m2v mts m2ts ogv 3gp 3g2")


class Kind(NamedTuple):
    """A file format's usual name, and whether it is a picture, a clip or neither."""

    name: str
    family: Literal["picture", "clip", "other"]


_SIGNATURES: tuple[tuple[int, bytes, Kind], ...] = (  # offset, bytes there, what they mean
    (0, b"\x89PNG\r\n\x1a\n", Kind("PNG", "picture")),
    (0, b"\xff\xd8\xff", Kind("JPEG", "picture")),
    (0, b"GIF87a", Kind("GIF", "picture")),
    (0, b"GIF89a", Kind("GIF", "picture")),
    (0, b"II*\0", Kind("TIFF", "picture")),
    (0, b"MM\0*", Kind("TIFF", "picture")),
    (8, b"WEBPVP8", Kind("WebP", "picture")),
    (4, b"ftypavif", Kind("AVIF", "picture")),
    (4, b"ftypavis", Kind("AVIF", "picture")),
    (4, b"ftyphei", Kind("HEIC", "other")),
    (4, b"ftyphev", Kind("HEIC", "other")),
    (4, b"ftypmif1", Kind("HEIC", "other")),
    (4, b"jP  \r\n\x87\n", Kind("JPEG 2000", "picture")),
    (0, b"\xff\x4f\xff\x51", Kind("JPEG 2000", "picture")),
    (0, b"\0\0\1\0", Kind("ICO", "picture")),
    (4, b"ftyp", Kind("MP4", "clip")),
    (4, b"moov", Kind("QuickTime", "clip")),
    (4, b"mdat", Kind("QuickTime", "clip")),
    (4, b"wide", Kind("QuickTime", "clip")),
    (0, b"\x1aE\xdf\xa3", Kind("Matroska or WebM", "clip")),
    (8, b"AVI LIST", Kind("AVI", "clip")),
    (0, b"\0\0\1\xba", Kind("MPEG", "clip")),
    (0, b"\0\0\1\xb3", Kind("MPEG", "clip")),
    (0, b"OggS", Kind("Ogg", "clip")),
    (0, b"FLV\1", Kind("FLV", "clip")),
    (0, b"0&\xb2u\x8ef\xcf\x11", Kind("WMV", "clip")),
    (0, b"%PDF-", Kind("PDF", "other")),
    (0, b"%!PS", Kind("PostScript", "other")),
    (0, b"PK\3\4", Kind("a ZIP archive", "other")),
    (0, b"\x1f\x8b", Kind("a gzip archive", "other")),
)


def sniff(head: bytes) -> Kind | None:
    """What a file is, from its first ``HEAD_BYTES`` bytes (fewer will do); None where that is unknown."""
    for offset, signature, kind in _SIGNATURES:
        if head.startswith(signature, offset):
            return kind
    if _is_bmp(head):
        return Kind("BMP", "picture")
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace():
        return Kind("PPM", "picture")
    return _sniff_text(head)


def is_clip_name(name: str) -> bool:
    """Whether a file's name ends as a video's does."""
    return PurePath(name).suffix.lower() in CLIP_SUFFIXES


class ClipFound(SourceError):
    """What was to be read as a picture is a video."""

    @classmethod
    def of(cls, label: str, name: str = "") -> ClipFound:
        """label: the source's. name: the video's format, where it is known."""
        return cls(
            f"{label} is a video{f' ({name})' if name else ''}, not a picture.",
            "Take a frame of it, for example with: ffmpeg -i CLIP -frames:v 1 frame.png",
        )


def _is_bmp(head: bytes) -> bool:
    # "BM" alone begins many a text: the reserved bytes and the size of the second header settle it.
    return (
        head[:2] == b"BM" and head[6:10] == bytes(4) and head[15:18] == bytes(3) and head[14] in (12, 40, 64, 108, 124)
    )


def _sniff_text(head: bytes) -> Kind | None:
    try:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # a character halved by the end of the head is no objection
            return None
        text = head[: error.start].decode("utf-8")
    if not text.strip() or any(ord(c) < 32 and c not in "\t\n\r\f\x1b" for c in text):
        return None
    start = text.lstrip().lower()
    if "<svg" in start:
        return Kind("SVG", "other")
    if start.startswith(("<!doctype html", "<html")) or "<html" in start:
        return Kind("an HTML page", "other")
    if start.startswith("<?xml"):
        return Kind("XML", "other")
    return Kind("JSON" if _is_json(text) else "text", "other")


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except ValueError:
        return text.lstrip().startswith(('{"', '[{"'))
    return True
