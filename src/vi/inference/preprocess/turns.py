"""What was said before in a conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Turn:
    """One turn that is over: what the ``user`` asked, or the ``assistant`` answered.

    num_pictures: how many of the pictures of the call were shown in this turn of the user, from the first on that no
    turn before it has; a clip counts as one.
    """

    role: Literal["user", "assistant"]
    text: str
    num_pictures: int = 0
