"""Features of the pictures that were asked about last, so that the next question about one needs no encoding."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any


class FeatureCache:
    """What a runner's ``encode`` gave, by ``Prompt.media_key``: at most ``max_bytes``, least recently used out first.

    Features larger than ``max_bytes`` are not kept, nor are those of an empty key.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.num_bytes = 0
        self._features: OrderedDict[bytes, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._features)

    def get(self, media_key: bytes, encode: Callable[[], Any]) -> Any:
        """The features under this key; ``encode()`` makes them where they are not here."""
        if media_key in self._features:
            self._features.move_to_end(media_key)
            return self._features[media_key]
        features = encode()
        if media_key and features.nbytes <= self.max_bytes:
            self._features[media_key] = features
            self.num_bytes += features.nbytes
            while self.num_bytes > self.max_bytes:
                _, oldest = self._features.popitem(last=False)
                self.num_bytes -= oldest.nbytes
        return features

    def clear(self) -> None:
        self._features.clear()
        self.num_bytes = 0
