"""What a picture or a clip may be read from, and how much of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..errors import ConfigError, did_you_mean
from .limits import MAX_PIXELS

WEB = frozenset({"http", "https"})
STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf", "memory"})
"""Schemes of fsspec whose host is fixed or named by the machine's own settings, never by the URL."""


class MediaPolicy(BaseModel):
    """What may be read, and how much. Frozen; a wrong value is a ConfigError that says what is allowed.

    The defaults allow what a script on one's own machine needs; ``MediaPolicy.untrusted()`` is for sources that
    strangers name. What the caller holds in memory (bytes, base64, pictures, arrays, open files) needs no permission,
    only to keep the limits. Sizes are in bytes, times in seconds; every time covers one source.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schemes: frozenset[str] = Field(
        default=WEB | STORES | {"data", "file"},
        description="Schemes of URLs that may be read; paths on this machine count as file.",
    )
    hosts: frozenset[str] | None = Field(
        default=None,
        description="Hosts (of a store: buckets) that URLs may name; *.example.org is all below it. None: any.",
    )
    roots: tuple[Path, ...] | None = Field(
        default=None,
        description="Folders that files may be read from; no link leads out of them. None: any file.",
    )
    private_addresses: bool = Field(
        default=True,
        description="Whether a host may have a private, loopback, link-local, multicast or metadata address.",
    )
    max_bytes: int = Field(
        default=64 * 2**20, ge=1, description="Most bytes of a picture that is fetched, streamed or text."
    )
    max_clip_bytes: int = Field(
        default=2**30, ge=1, description="Most bytes of a clip that is fetched, streamed or text."
    )
    max_pixels: int = Field(default=MAX_PIXELS, ge=1, description="Most pixels, width times height, that are decoded.")
    max_frames: int = Field(default=768, ge=1, description="Most frames of a clip that are taken.")
    connect_timeout: float = Field(default=20.0, gt=0, allow_inf_nan=False, description="To reach a host.")
    timeout: float = Field(
        default=60.0, gt=0, allow_inf_nan=False, description="For a whole fetch, with redirects, retries and body."
    )
    decode_timeout: float = Field(default=60.0, gt=0, allow_inf_nan=False, description="To decode a picture.")
    clip_decode_timeout: float = Field(default=300.0, gt=0, allow_inf_nan=False, description="To decode a clip.")
    max_redirects: int = Field(default=3, ge=0, description="Redirects that are followed.")
    retries: int = Field(default=2, ge=0, description="Further attempts after a failure that may pass.")
    backoff: float = Field(
        default=0.5, ge=0, allow_inf_nan=False, description="Wait before the first retry; it doubles with each."
    )
    cache_bytes: int = Field(
        default=512 * 2**20, ge=0, description="Disk space for fetched files that have an ETag; 0 keeps none."
    )
    cache_folder: Path = Field(default=Path("~/.datature/vi/media"), description="Where those are kept.")

    if not TYPE_CHECKING:  # so that editors and mypy see the fields as keywords

        def __init__(self, /, **values: Any) -> None:
            try:
                super().__init__(**values)
            except ValidationError as error:
                raise _config_error(error, type(self)) from None

        def __setattr__(self, name: str, value: Any) -> None:
            hint = f"Make another: policy.model_copy(update={{{name!r}: {value!r}}})."
            raise ConfigError(f"{name} cannot be set on a MediaPolicy, which never changes.", hint)

    @classmethod
    def untrusted(cls, **changes: Any) -> MediaPolicy:
        """For sources that strangers name: http, https and data only, and no address that is not public.

        changes: fields that differ; ``roots=`` also admits files, those below the roots alone.
        """
        schemes = WEB | {"data"} | ({"file"} if changes.get("roots") else set())
        return cls(**{"schemes": schemes, "roots": (), "private_addresses": False, **changes})

    @classmethod
    def coerce(cls, value: MediaPolicy | None, default: MediaPolicy | None = None) -> MediaPolicy:
        """``value``; for None ``default``, or the library's own. Raises ConfigError for anything else."""
        if value is None:
            return default or cls()
        if not isinstance(value, MediaPolicy):
            raise ConfigError(
                f"media_policy is of type {type(value).__name__}.",
                "It takes a MediaPolicy, such as MediaPolicy.untrusted(), or None.",
            )
        return value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> MediaPolicy:
        """A copy with ``update`` checked like any other value (pydantic's own does not check)."""
        return type(self)(**{name: getattr(self, name) for name in self.model_fields_set} | dict(update or {}))

    def allows_host(self, host: str) -> bool:
        """Whether a URL may name ``host`` (in ASCII form, as a URL has it on the wire)."""
        if self.hosts is None:
            return True
        name = host_key(host)
        parents = name.split(".")
        return name in self.hosts or any("*." + ".".join(parents[i:]) in self.hosts for i in range(1, len(parents)))

    @field_validator("schemes", "hosts", "roots", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (str, os.PathLike)) else value

    @field_validator("schemes")
    @classmethod
    def _lower(cls, value: frozenset[str]) -> frozenset[str]:
        return frozenset(scheme.lower().removesuffix("://").removesuffix(":") for scheme in value)

    @field_validator("hosts")
    @classmethod
    def _keys(cls, value: frozenset[str] | None) -> frozenset[str] | None:
        return value if value is None else frozenset(map(host_key, value))

    @field_validator("roots")
    @classmethod
    def _absolute(cls, value: tuple[Path, ...] | None) -> tuple[Path, ...] | None:
        return value if value is None else tuple(_home(root).absolute() for root in value)

    @model_validator(mode="after")
    def _consistent(self) -> MediaPolicy:
        if self.roots and "file" not in self.schemes:
            raise ValueError("roots are given, but schemes has no file: add it, or leave the roots out")
        elsewhere = sorted(self.schemes - WEB - STORES - {"data", "file"})
        if elsewhere and not self.private_addresses:
            raise ValueError(
                f"{elsewhere[0]} URLs connect by themselves, and private_addresses=False cannot be kept: leave it out"
            )
        return self


def host_key(host: str) -> str:
    """A host as it is compared: lower case, ASCII (IDNA 2008), without brackets and the dot of the root.

    Raises ValueError for what cannot be a host.
    """
    name = host.strip().lower().removeprefix("[").removesuffix("]").removesuffix(".")
    if name.isascii():
        return name
    import idna

    wild = name.startswith("*.")
    return "*." * wild + idna.encode(name.removeprefix("*.")).decode("ascii")


def _home(path: Path) -> Path:
    """``path`` with ~ as the home folder. Raises ValueError where there is none."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError("a path whose home folder is known") from error


def _config_error(error: ValidationError, model: type[BaseModel]) -> ConfigError:
    sentences = [_sentence(dict(detail), model.model_fields) for detail in error.errors(include_url=False)]
    return ConfigError(" ".join(sentences))


def _sentence(detail: dict[str, Any], fields: Iterable[str]) -> str:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    if detail["type"] == "extra_forbidden":
        near = did_you_mean(name, fields) or f"It has {', '.join(fields)}."
        return f"{name} is not a field of MediaPolicy. {near}"
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if not name:
        return f"A MediaPolicy cannot be so: {said}."
    return f"MediaPolicy({name}={detail['input']!r}) is not allowed; it takes {said}."
