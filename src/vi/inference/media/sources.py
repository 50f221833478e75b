"""What a caller passed, as items: folders, patterns and lists become the pictures they stand for."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SourceError
from .clip import Clip
from .encoded import is_base64
from .folders import Listing, list_media, nearest_name
from .items import ACCEPTED, SourceItem, bad_item, base64_item, data_item, memory_item, url_item, url_scheme
from .kinds import is_clip_name
from .labels import printable, url_label
from .lists import read_list
from .opening import check_local, open_folder
from .patterns import depth_of, is_pattern, matcher, names_a_suffix, split_pattern
from .pictures import Pictures
from .policy import MediaPolicy
from .urls import file_path

__all__ = ["SourceItem", "Sources", "expand"]

_EVERY_DEPTH = 10_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Sources:
    """The items of one call, in order. ``many`` is True for a list, a folder or a pattern, whatever its length."""

    items: list[SourceItem]
    many: bool


def expand(source: Any, recursive: bool = False, policy: MediaPolicy | None = None, *, clips: bool = False) -> Sources:
    """Tell apart what was passed and list folders, patterns and lists; decodes nothing and fetches nothing.

    recursive: look into folders of folders. policy: what may be read; no file is looked for where it allows none.
    clips: list the videos of folders too. Folders, patterns and lists inside a list expand in place. Files of unknown
    kinds are left out of folders, and counted in one line of the log.
    Never raises SourceError: a bad source is an item with an ``error``, and a folder without pictures is one such item.
    """
    search = _Search(recursive, MediaPolicy.coerce(policy), clips)
    if isinstance(source, (list, tuple)):
        return Sources([item for each in source for item in search.find(each).items], many=True)
    return search.find(source)


@dataclass(frozen=True)
class _Search:
    recursive: bool
    policy: MediaPolicy
    clips: bool

    def find(self, source: Any) -> Sources:
        """The items of one source."""
        if isinstance(source, str):
            return self._text(source)
        if isinstance(source, os.PathLike):
            return self._path(Path(os.fsdecode(source)))
        if isinstance(source, Pictures):
            return _one(self._pictures(source))
        if isinstance(source, Clip):
            return _one(SourceItem("clip", source, source.label, is_clip=True))
        return _one(memory_item(source))

    def _pictures(self, pictures: Pictures) -> SourceItem:
        """All of them as one item, which is bad where one of them is."""
        items: list[SourceItem] = []
        for source in pictures.sources:
            found = self.find(source)
            if found.many or found.items[0].kind in ("pictures", "clip"):
                message = f"{found.items[0].label} is not one picture, as each of Pictures(...) is."
                return bad_item(pictures, repr(pictures), message, "Name them one by one.")
            items += found.items
        label = f"{len(items)} pictures" if items else "no picture"
        return SourceItem("pictures", items, label, next((item.error for item in items if item.error), None))

    def _text(self, text: str) -> Sources:
        stripped = text.strip()
        if not stripped:
            return _one(bad_item(text, "(empty)", "The source is an empty text.", ACCEPTED))
        if stripped[:5].lower() == "data:":
            return _one(data_item(stripped, self.policy))
        scheme = url_scheme(stripped)
        if scheme == "file":
            try:
                return self._path(file_path(stripped))
            except SourceError as error:
                return _one(SourceItem("url", stripped, url_label(stripped), error))
        if scheme:
            return _one(url_item(stripped, scheme, self.policy))
        if text[0] == "@" and len(text) > 1:
            return self._list(Path(text[1:]))
        return self._path(Path(text), text)

    def _path(self, path: Path, text: str = "") -> Sources:
        """text: what the caller wrote, where that may be base64 rather than a path."""
        label = printable(str(path))
        try:
            check_local(path, label, self.policy)
        except SourceError as error:
            return _one(base64_item(text) if is_base64(text) else SourceItem("file", path, label, error))
        may_look = self.policy.roots is None  # otherwise only what is opened below a root says what is there
        if self._is_folder(path):
            return self._folder(path, label)
        if may_look and os.path.lexists(path):
            return _one(_file_item(path))
        if is_base64(text):
            return _one(base64_item(text))
        if is_pattern(str(path)):
            return self._pattern(path, label)
        if may_look:
            hint = nearest_name(path) or "It was taken for a path." * (not path.suffix)
            return _one(bad_item(path, label, f"There is no file {label}.", hint, "file"))
        return _one(_file_item(path))

    def _is_folder(self, path: Path) -> bool:
        if self.policy.roots is None:
            return os.path.isdir(path)  # noqa: PTH112 - false for what can be no path
        try:
            with open_folder(path, "", self.policy):
                return True
        except SourceError:
            return False

    def _folder(self, folder: Path, label: str) -> Sources:
        depth = _EVERY_DEPTH if self.recursive else 1
        nothing = f"The folder {label} has no {self._what()}"
        hint = "" if self.recursive else "Pass recursive=True to look into its sub-folders."
        return self._listed(folder, label, nothing, hint, depth=depth)

    def _pattern(self, pattern: Path, label: str) -> Sources:
        base, parts = split_pattern(pattern)
        if self.policy.roots is None and not base.is_dir():
            message = f"No {self._what()} match {label}: there is no folder {printable(str(base))}."
            return Sources([bad_item(pattern, label, message, nearest_name(base), "file")], many=True)
        return self._listed(
            base,
            label,
            f"No {self._what()} match {label}",
            "** stands for any number of folders.",
            depth=depth_of(parts),
            any_suffix=names_a_suffix(parts),
            wanted=matcher(base, parts),
        )

    def _listed(self, folder: Path, label: str, nothing: str, hint: str, **choice: Any) -> Sources:
        try:
            listing = list_media(folder, self.policy, clips=self.clips, **choice)
        except SourceError as error:
            return Sources([bad_item(folder, label, f"The folder {error.message}", error.hint, "file")], many=True)
        left_out = _left_out(listing)
        if not listing.entries:
            message = f"{nothing} (it has {left_out})." if left_out else f"{nothing}."
            return Sources([bad_item(folder, label, message, hint, "file")], many=True)
        if left_out:
            _log.warning("%s: left out %s.", label, left_out)
        return Sources([_file_item(entry.path, entry.error) for entry in listing.entries], many=True)

    def _list(self, path: Path) -> Sources:
        items: list[SourceItem] = []
        label = printable(str(path))
        try:
            for entry in read_list(path, self.policy):
                items += self.find(entry).items
        except SourceError as error:
            items.append(SourceItem("file", path, label, error))
        return Sources(items or [bad_item(path, label, f"The list {label} is empty.", "", "file")], many=True)

    def _what(self) -> str:
        return "pictures or clips" if self.clips else "pictures"


def _one(item: SourceItem) -> Sources:
    return Sources([item], many=False)


def _file_item(path: Path, error: SourceError | None = None) -> SourceItem:
    return SourceItem("file", path, printable(str(path)), error, is_clip_name(path.name))


def _left_out(listing: Listing) -> str:
    return " and ".join(
        f"{count} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((listing.num_clips, "video"), (listing.num_others, "other file"))
        if count
    )
