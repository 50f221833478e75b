"""Pictures that were decoded last, so that the next question about one needs no decoding."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable

from .image import Picture, load_picture
from .items import SourceItem
from .opening import open_file
from .policy import MediaPolicy

MOST_BYTES = 32 << 20  # of pixels; a picture that is larger is not kept
SETTLED = 2.0  # seconds; as coarse as the times of changes are that file systems write down


class PictureCache:
    """Decoded pictures by the file or the bytes they came from, least recently used out first. For any thread.

    A file is known by its place on its disk, its size and the times of its last changes, as seen when it is opened as
    the policy says; one that was changed a moment ago is decoded anew, since it may be changed again at what its disk
    takes for the same time. Nobody draws into what ``load`` gives.
    """

    def __init__(self, max_bytes: int = MOST_BYTES) -> None:
        self._max_bytes = max_bytes
        self._num_bytes = 0
        self._pictures: OrderedDict[Hashable, Picture] = OrderedDict()
        self._changing = threading.Lock()

    def load(self, item: SourceItem, policy: MediaPolicy, at_most_pixels: int | None = None) -> Picture:
        """``load_picture``, which is not asked again about what has not changed. Raises what it raises."""
        source = None if item.error is not None or item.is_clip else _identity(item, policy)
        if source is None:
            return load_picture(item, policy, at_most_pixels)
        key = (source, item.label, policy, at_most_pixels)
        with self._changing:
            if key in self._pictures:
                self._pictures.move_to_end(key)
                return self._pictures[key]
        picture = load_picture(item, policy, at_most_pixels)
        self._keep(key, picture)
        return picture

    def _keep(self, key: Hashable, picture: Picture) -> None:
        with self._changing:
            if key in self._pictures or _num_bytes(picture) > self._max_bytes:
                return
            self._pictures[key] = picture
            self._num_bytes += _num_bytes(picture)
            while self._num_bytes > self._max_bytes:
                _, oldest = self._pictures.popitem(last=False)
                self._num_bytes -= _num_bytes(oldest)


def _identity(item: SourceItem, policy: MediaPolicy) -> Hashable | None:
    """What says that a source is the same as before; None where nothing does. Raises SourceError as ``open_file``."""
    if item.kind == "bytes":
        return hashlib.sha256(item.value).digest()
    if item.kind != "file":
        return None
    with open_file(item.value, item.label, policy) as file:
        facts = os.fstat(file.fileno())
    if time.time() - max(facts.st_mtime, facts.st_ctime) < SETTLED:
        return None
    return item.value, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _num_bytes(picture: Picture) -> int:
    return 3 * picture.pixels.width * picture.pixels.height
