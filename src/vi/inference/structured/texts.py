"""What fits behind the tokens of a free text: the same at every place in it, and in every request that comes to it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

NEVER = 1 << 30  # tokens
MOST_NUMBERS = 1 << 20  # that the texts of one grammar may take, but for one text


@dataclass(frozen=True)
class Text:
    """A string of any characters that may close here, in a document that its content does not decide.

    ending: the shortest, from anywhere in the string. least: int32 [V], how many tokens must be left for a token to be
    taken, itself among them, so that an ending fits behind it. unknown: bool [V], tokens for which a smaller ``least``
    may still be found. behind: endings that were found behind tokens which cut the text short.
    """

    ending: list[int]
    least: np.ndarray
    unknown: np.ndarray
    behind: dict[int, list[int]] = field(default_factory=dict)

    @classmethod
    def closed_by(cls, ending: list[int], plain: np.ndarray, openers: np.ndarray, frame: int | None) -> Text:
        """plain: bool [V], tokens that leave the ending as it is. openers: int [V], containers that each may open.
        frame: the most tokens that a part, once begun, can demand; None where that is not known."""
        least = np.full(len(plain), NEVER, dtype=np.int32)
        if frame is not None:
            least[:] = (1 + openers) * frame + len(ending) + 1
        least[plain] = len(ending) + 1
        return cls(ending, least, ~plain)


class Texts:
    """The texts that one grammar's requests came to lately, by the bytes before them; safe to use from any thread.

    vocab_size: numbers that one text takes.
    """

    def __init__(self, vocab_size: int) -> None:
        self._most = max(1, MOST_NUMBERS // vocab_size)
        self._known: OrderedDict[bytes, Text] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, before: bytes) -> Text | None:
        with self._lock:
            text = self._known.get(before)
            if text is not None:
                self._known.move_to_end(before)
            return text

    def keep(self, before: bytes, text: Text) -> None:
        with self._lock:
            self._known[before] = text
            if len(self._known) > self._most:
                self._known.popitem(last=False)
