"""How an answer is generated: the parameters, their presets, who set them, and what each one does."""

from vi.inference.generation_config.config import ConfigLike, GenerationConfig
from vi.inference.generation_config.effects import Notice
from vi.inference.generation_config.explain import Explanation, explain
from vi.inference.generation_config.presets import PRESETS, Preset
from vi.inference.generation_config.reference import (
    OptionSpec,
    ParameterRow,
    option_specs,
    parameter_markdown,
    parameter_table,
    preset_markdown,
)
from vi.inference.generation_config.resolution import ResolvedConfig, Setting, resolve
from vi.inference.generation_config.warn_once import WarnOnce

__all__ = [
    "PRESETS",
    "ConfigLike",
    "Explanation",
    "GenerationConfig",
    "Notice",
    "OptionSpec",
    "ParameterRow",
    "Preset",
    "ResolvedConfig",
    "Setting",
    "WarnOnce",
    "explain",
    "option_specs",
    "parameter_markdown",
    "parameter_table",
    "preset_markdown",
    "resolve",
]
