"""What an HTTP request asks of a model, checked and within the limits: a call that begins a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vi.inference.errors import ConfigError
from vi.inference.generation_config import GenerationConfig
from vi.inference.generation_config.parameter import INT64_MAX
from vi.inference.media.pictures import Pictures
from vi.inference.preprocess.turns import Turn
from vi.server.envelope import ApiError

if TYPE_CHECKING:
    from vi.inference.model import ViModel
    from vi.inference.stream import Stream
    from vi.server.limits import Limits

COT_TOKENS = 4096  # what thinking raises the cap to
WEB = ("http://", "https://", "data:")


@dataclass(frozen=True)
class Question:
    """One answer that is asked for; calling it with a model begins it. Raises what ``ViModel.__call__`` raises.

    place: which of several answers of one request; it is drawn with a seed that is so much further.
    """

    sources: tuple[Any, ...]
    prompt: str | None
    config: GenerationConfig
    limits: Limits
    task_type: str | None = None
    response_format: dict[str, Any] | None = None
    cot: bool = False
    fps: float = 4.0
    system_prompt: str | None = None
    history: tuple[Turn, ...] = ()
    place: int = 0

    def __call__(self, model: ViModel) -> Stream:
        return model(
            self._source(),
            self.prompt,
            self.settings(model.generation_config),
            stream=True,
            cot=self.cot,
            fps=self.fps,
            task_type=self.task_type,
            response_format=self.response_format,
            system_prompt=self.system_prompt,
            history=self.history,
        )

    def _source(self) -> Any:
        return self.sources[0] if len(self.sources) == 1 else Pictures(*self.sources)

    def settings(self, defaults: GenerationConfig) -> GenerationConfig:
        """The config, with a seed for this place and within the limit of tokens where ``defaults`` are beyond it."""
        given, changes = self.config.model_fields_set, {}
        cap = COT_TOKENS if self.cot else defaults.max_new_tokens
        if "max_new_tokens" not in given and cap > self.limits.tokens:
            changes["max_new_tokens"] = self.limits.tokens
        seed = self.config.seed if "seed" in given else defaults.seed
        if self.place and seed != -1:  # which is a fresh one each time
            changes["seed"] = (seed + self.place) % (INT64_MAX + 1)
        return self.config.model_copy(update=changes)


def web_source(source: str, param: str = "source") -> str:
    """A URL or data: URI as it is. Raises ApiError 400 for anything else, such as a path on the server."""
    if not source.lstrip()[:8].lower().startswith(WEB):
        raise ApiError(
            400, "invalid_source", f"{param} is no URL.", "It takes an http(s) URL or a data: URI.", param=param
        )
    return source.strip()


def require_prompt(prompt: str | None, limits: Limits, param: str) -> str | None:
    """Raises ApiError 400 for a prompt that is too long."""
    if prompt is not None and len(prompt) > limits.prompt_chars:
        message = f"The prompt has {len(prompt):,} characters; at most {limits.prompt_chars:,} are taken."
        raise ApiError(400, "prompt_too_long", message, param=param)
    return prompt


def require_schema(schema: dict[str, Any] | None, limits: Limits) -> dict[str, Any] | None:
    """Raises ApiError 400 for a schema that is too large."""
    if schema is not None and (size := len(json.dumps(schema))) > limits.schema_bytes:
        message = f"The schema has {size:,} bytes; at most {limits.schema_bytes:,} are taken."
        raise ApiError(400, "schema_too_large", message, param="response_format")
    return schema


def generation_config(
    base: Mapping[str, Any] | str | None, limits: Limits, given: Mapping[str, tuple[str, Any]] | None = None
) -> GenerationConfig:
    """A config from a dict or a preset's name, and values that stand in a request beside it, which go first.

    given: field -> (its name in the request, value). Raises ApiError 400 that names the request's own field.
    """
    try:
        config = GenerationConfig.coerce(base)
    except ConfigError as error:
        raise ApiError(400, "invalid_value", error.message, error.hint, param="generation_config") from None
    for field, (param, value) in (given or {}).items():
        try:
            config = config.model_copy(update={field: value})
        except ConfigError as error:
            about = "" if param == field else f"{param}: "
            raise ApiError(400, "invalid_value", about + error.message, error.hint, param=param) from None
    if "max_new_tokens" in config.model_fields_set and config.max_new_tokens > limits.tokens:
        message = f"max_new_tokens={config.max_new_tokens} is too many; the server takes {limits.tokens} at most."
        raise ApiError(400, "too_many_tokens", message, param="max_new_tokens")
    return config
