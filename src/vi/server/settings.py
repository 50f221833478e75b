"""What a server is started with."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vi.inference.errors import ConfigError
from vi.inference.media.policy import MediaPolicy
from vi.server.keys import ApiKeys
from vi.server.limits import Limits

EMBEDDED = "workbench"


@dataclass(frozen=True)
class ServerSettings:
    """models: name -> arguments of ``ViModel``; the first is the default and is loaded at the start. max_loaded: most
    of them in memory at once. allow_hosts: hosts that picture URLs may name, None for any public one.

    Raises ConfigError for an address that is not loopback without keys.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {EMBEDDED: {}})
    max_loaded: int = 1
    keys: ApiKeys = field(default_factory=ApiKeys)
    allow_hosts: tuple[str, ...] | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if not self.keys and not self.is_loopback:
            raise ConfigError(
                f"--host {self.host} can be reached by others, and there are no API keys.",
                "Give --api-keys FILE or set VI_API_KEYS; or leave --host out, which serves this machine alone.",
            )

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach ``host``."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def media_policy(self) -> MediaPolicy:
        """What a stranger's sources may be read from, and how much of them."""
        limits = self.limits
        return MediaPolicy.untrusted(
            hosts=None if self.allow_hosts is None else frozenset(self.allow_hosts),
            max_bytes=limits.media_bytes,
            max_clip_bytes=limits.media_bytes,
            max_pixels=limits.pixels,
            max_frames=limits.frames,
            cache_bytes=0,
            retries=0,
            timeout=min(60.0, limits.request_seconds),
            decode_timeout=min(60.0, limits.request_seconds),
            clip_decode_timeout=min(300.0, limits.request_seconds),
        )
