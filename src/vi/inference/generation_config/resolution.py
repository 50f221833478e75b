"""From what the call, the model and the run say to one complete configuration, every value with its origin."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict

from vi.inference.errors import ConfigError
from vi.inference.generation_config.config import ConfigLike, GenerationConfig
from vi.inference.generation_config.effects import Notice, no_effect, set_by_caller

COT_MAX_NEW_TOKENS = 4096
_SEED_BITS = 53  # every JSON reader keeps such an integer exactly


class Setting(BaseModel):
    """A value that was used, and who set it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: bool | int | float | str | tuple[str, ...] | None
    origin: str


@dataclass(frozen=True)
class ResolvedConfig:
    """What a request runs with: ``config`` is complete and its seed is at least 0.

    origins: field -> ``call``, ``preset:<name>``, ``model``, ``run``, ``default``, ``cot`` (cap raised for
    chain-of-thought), ``drawn`` (seed) or ``lowered`` (cap that did not fit). notices: what the caller should know.
    """

    config: GenerationConfig
    origins: dict[str, str]
    notices: tuple[Notice, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The notices' texts."""
        return tuple(notice.text for notice in self.notices)

    def echo(self) -> dict[str, Setting]:
        """Every parameter with its value and origin, in the order of the fields."""
        return {name: Setting(value=getattr(self.config, name), origin=origin) for name, origin in self.origins.items()}

    def lower_max_new_tokens(self, n: int, why: str) -> ResolvedConfig:
        """The same with a cap of at most ``n`` tokens (1 or more) and a warning that says ``why``."""
        cap = self.config.max_new_tokens
        if n >= cap:
            return self
        notice = Notice("lowered", f"max_new_tokens lowered from {cap} to {n}: {why}.")
        return replace(
            self,
            config=self.config.model_copy(update={"max_new_tokens": n}),
            origins=self.origins | {"max_new_tokens": "lowered"},
            notices=(*self.notices, notice),
        )


def resolve(
    call: ConfigLike = None, model: ConfigLike = None, run: ConfigLike = None, cot: bool = False
) -> ResolvedConfig:
    """Merge what was set: the call goes before the model, the model before the run, the run before the defaults.

    cot: raise the cap to 4096 tokens unless the call itself sets ``max_new_tokens`` (a preset or instance counts by
    the values it sets). A seed of -1 becomes a fresh one from the operating system. Raises ``ConfigError``.
    """
    asked = GenerationConfig.coerce(call)
    merged = merge(asked, model, run)
    if cot and "max_new_tokens" not in asked.model_fields_set:
        merged = _raised(merged)
    if merged.config.seed == -1:
        fresh = merged.config.model_copy(update={"seed": secrets.randbits(_SEED_BITS)})
        merged = replace(merged, config=fresh, origins=merged.origins | {"seed": "drawn"})
    return merged


def merge(call: ConfigLike = None, model: ConfigLike = None, run: ConfigLike = None) -> ResolvedConfig:
    """``resolve`` without chain-of-thought and before a seed is drawn: its seed may be -1."""
    defaults = GenerationConfig()
    values = {name: getattr(defaults, name) for name in GenerationConfig.model_fields}
    origins = dict.fromkeys(values, "default")
    for level, config in (("run", _of_run(run)), ("model", model), ("call", call)):
        config = GenerationConfig.coerce(config)
        values |= {name: getattr(config, name) for name in config.model_fields_set}
        origins |= config.origins(level) if level != "run" else dict.fromkeys(config.model_fields_set, "run")
    complete = GenerationConfig(**values)
    notice = no_effect(complete, origins)
    return ResolvedConfig(complete, origins, (notice,) if notice else ())


def _of_run(run: ConfigLike) -> GenerationConfig:
    try:
        return GenerationConfig.coerce(run)
    except ConfigError as error:  # the caller did not write this value: say where it stands
        raise ConfigError(f"In the run's own generation config: {error.message}", error.hint) from None


def _raised(merged: ResolvedConfig) -> ResolvedConfig:
    cap, origin = merged.config.max_new_tokens, merged.origins["max_new_tokens"]
    if cap == COT_MAX_NEW_TOKENS:
        return merged
    text = (
        f"max_new_tokens raised from {cap} ({origin}) to {COT_MAX_NEW_TOKENS} for chain-of-thought. "
        "Set it in the call to keep it."
    )
    return replace(
        merged,
        config=merged.config.model_copy(update={"max_new_tokens": COT_MAX_NEW_TOKENS}),
        origins=merged.origins | {"max_new_tokens": "cot"},
        notices=(*merged.notices, Notice("raised for cot", text)) if set_by_caller(origin) else merged.notices,
    )
