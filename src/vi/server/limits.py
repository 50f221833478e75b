"""What one request, and all of them together, may take of the server."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vi.inference.errors import ConfigError, did_you_mean

MIB = 1 << 20


class Limits(BaseModel):
    """Bounds, default and help stand on each field; a wrong value is a ConfigError that names it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    underway: int = Field(
        default=128, ge=1, le=4096, description="Answers underway or waiting; further requests get 429."
    )
    request_seconds: float = Field(
        default=300, gt=0, le=86400, description="Time for one request, loading a model included."
    )
    body_seconds: float = Field(default=30, gt=0, le=86400, description="Time for a client to send a request's body.")
    drain_seconds: float = Field(
        default=30, ge=0, le=86400, description="Time that running requests have after SIGTERM."
    )
    body_bytes: int = Field(default=32 * MIB, ge=1024, description="Bytes of a request, pictures in it included.")
    schema_bytes: int = Field(default=64 * 1024, ge=2, description="Bytes of a response schema.")
    prompt_chars: int = Field(default=100_000, ge=1, description="Characters of a prompt.")
    tokens: int = Field(default=4096, ge=1, le=4096, description="Tokens of one answer.")
    choices: int = Field(default=8, ge=1, le=128, description="Answers of one request (n).")
    pictures: int = Field(default=8, ge=1, le=128, description="Pictures of one request.")
    pixels: int = Field(default=64_000_000, ge=1, description="Pixels of a picture, width times height.")
    media_bytes: int = Field(default=32 * MIB, ge=1, description="Bytes of a picture or clip that is fetched or sent.")
    frames: int = Field(default=256, ge=1, description="Frames of a clip that are taken.")

    @classmethod
    def read(cls, pairs: list[str]) -> Limits:
        """Limits from ``name=value`` texts; what is not named keeps its default. Raises ConfigError."""
        values: dict[str, Any] = {}
        for pair in pairs:
            name, equals, value = pair.partition("=")
            name = name.strip().replace("-", "_")
            if name not in cls.model_fields:
                near = did_you_mean(name, cls.model_fields)
                raise ConfigError(
                    f"{name!r} is not a limit.", f"{near} There are {', '.join(cls.model_fields)}.".strip()
                )
            if not equals:
                raise ConfigError(f"--limit {pair} sets nothing.", f"Write --limit {name}=NUMBER.")
            values[name] = value.strip()
        try:
            return cls(**values)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            raise ConfigError(f"--limit {detail['loc'][0]}={detail['input']}: {detail['msg']}.") from None
