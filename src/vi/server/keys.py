"""API keys: who may ask, told without telling what the keys are."""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from vi.inference.errors import ConfigError

VARIABLE = "VI_API_KEYS"
SHORTEST = 16  # characters: what a stranger cannot guess


class ApiKeys:
    """The keys that open a server, kept as digests; empty means that nobody needs one."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        """Raises ConfigError for a key that is too short or that a header cannot carry; none is ever repeated."""
        digests = []
        for number, key in enumerate(keys, 1):
            if len(key) < SHORTEST or not (key.isascii() and key.isprintable()) or " " in key:
                raise ConfigError(
                    f"API key {number} cannot be used.",
                    f"A key is {SHORTEST} printable ASCII characters or more, without spaces: openssl rand -hex 32",
                )
            digests.append(sha256(key.encode()).digest())
        self._digests = tuple(digests)

    @classmethod
    def read(cls, file: Path | None, environment: str | None = None) -> ApiKeys:
        """Keys of a file, one a line (``#`` begins a comment), and of the environment, with spaces or commas between.

        environment: in place of ``VI_API_KEYS``. Raises ConfigError for a file that cannot be read or holds none.
        """
        said = os.environ.get(VARIABLE, "") if environment is None else environment
        keys = said.replace(",", " ").split()
        if file is not None:
            try:
                lines = file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "it is not text"
                raise ConfigError(f"--api-keys {file} cannot be read: {reason}.") from None
            found = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
            if not found:
                raise ConfigError(f"--api-keys {file} holds no key.", "Write one key on each line.")
            keys += found
        return cls(keys)

    def __bool__(self) -> bool:
        return bool(self._digests)

    def __repr__(self) -> str:
        return f"ApiKeys({len(self._digests)})"

    def admit(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header brings one of the keys, in a time that tells nothing of it."""
        scheme, _, key = authorization.partition(" ")
        digest = sha256(key.strip().encode("utf-8", "replace")).digest()
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        return scheme.lower() == "bearer" and any(matches)
