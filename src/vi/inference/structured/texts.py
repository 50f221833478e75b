"""What fits behind the tokens of a free text: the same at every place in it, and in every request that comes to it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

NEVER = 1 << 30  # tokens
MOST_MASKS = 8  # that free texts of one grammar share
MOST_NUMBERS = 1 << 20  # that the texts of one grammar may take, but for one text


@dataclass(frozen=True)
class Text:
    """A string of any characters that may close here, in a document that its content does not decide.

    ending: the shortest, from anywhere in the string. least: int32 [V], how many tokens must be left for a token to be
    taken, itself among them, so that an ending fits behind it. unknown: bool [V], tokens for which a smaller ``least``
    may still be found. behind: endings that were found behind tokens which cut the text short. narrowed: by how many
    tokens are left, what is allowed and what of that fits.
    """

    ending: list[int]
    least: np.ndarray
    unknown: np.ndarray
    behind: dict[int, list[int]] = field(default_factory=dict)
    narrowed: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def closed_by(cls, ending: list[int], plain: np.ndarray, openers: np.ndarray, frame: int | None) -> Text:
        """plain: bool [V], tokens that leave the ending as it is. openers: int [V], containers that each may open.
        frame: the most tokens that a part, once begun, can demand; None where that is not known."""
        least = np.full(len(plain), NEVER, dtype=np.int32)
        if frame is not None:
            least[:] = (1 + openers) * frame + len(ending) + 1
        least[plain] = len(ending) + 1
        return cls(ending, least, ~plain)

    def known(self, allowed: np.ndarray, tokens_left: int) -> np.ndarray | None:
        """What fits of this very array, where that was told before."""
        before, kept = self.narrowed.get(tokens_left, (None, None))
        return kept if before is allowed else None

    def tell(self, allowed: np.ndarray, tokens_left: int, kept: np.ndarray) -> np.ndarray:
        """Remember what fits; returns one array for all numbers of tokens with which the same fits."""
        beside = (allowed, self.known(allowed, tokens_left + 1), self.known(allowed, tokens_left - 1))
        kept = next((other for other in beside if other is not None and (other == kept).all()), kept)
        kept.flags.writeable = False
        self.narrowed[tokens_left] = (allowed, kept)
        return kept


class Texts:
    """The texts that one grammar's requests came to lately, by the bytes before them; safe to use from any thread.

    vocab_size: numbers that one text takes.
    """

    def __init__(self, vocab_size: int) -> None:
        self._most = max(1, MOST_NUMBERS // vocab_size)
        self._known: OrderedDict[bytes, Text] = OrderedDict()
        self._masks: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, before: bytes) -> Text | None:
        with self._lock:
            text = self._known.get(before)
            if text is not None:
                self._known.move_to_end(before)
            return text

    def shared(self, allowed: np.ndarray) -> np.ndarray:
        """One array for all masks that are equal to this one: not to be written into."""
        key = allowed.tobytes()
        with self._lock:
            mask = self._masks.setdefault(key, allowed)
            self._masks.move_to_end(key)
            if len(self._masks) > MOST_MASKS:
                self._masks.popitem(last=False)
        mask.flags.writeable = False
        return mask

    def keep(self, before: bytes, text: Text) -> None:
        with self._lock:
            self._known[before] = text
            if len(self._known) > self._most:
                self._known.popitem(last=False)
