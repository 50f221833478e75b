"""What one call asks of every source: the task, the settings, the grammar; checked before any source is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import TYPE_CHECKING, Any

from vi.inference.errors import ConfigError
from vi.inference.generation_config import GenerationConfig
from vi.inference.preprocess.pixel_budget import PixelBudget
from vi.inference.preprocess.turns import Turn
from vi.inference.task_types import TASKS, Task, custom_task, get_task, with_thinking
from vi.inference.task_types.video_freeform import VIDEO_FREEFORM

if TYPE_CHECKING:
    from vi.inference.runs.record import RunRecord
    from vi.inference.structured.grammar import Grammar
    from vi.inference.task_types.boxes import BoxUnits

DEFAULT_TASK = "freeform"  # of a checkpoint without a training record


@dataclass(frozen=True)
class CallOptions:
    """What a caller says of all sources of a call, as it was said, see ``ViModel.__call__``; nothing is checked yet."""

    generation_config: Any = None
    task_type: str | None = None
    response_format: Any = None
    cot: bool = False
    fps: float = 4.0
    min_pixels: int | None = None
    max_pixels: int | None = None
    system_prompt: str | None = None
    history: Sequence[Turn] = ()


@dataclass(frozen=True)
class Call:
    """A call's settings, all of them valid. ``grammar`` is None where the answer is free text. fps: of clips. pixels:
    how large the model is to see pictures and frames. history: what was said before."""

    task: Task
    system_prompt: str
    config: GenerationConfig
    cot: bool
    grammar: Grammar | None
    fps: float = 4.0
    pixels: PixelBudget = field(default_factory=PixelBudget)
    history: tuple[Turn, ...] = ()

    @property
    def is_about_clips(self) -> bool:
        """Whether every source is a clip, a still picture one of a single frame."""
        return self.task is VIDEO_FREEFORM

    def grammar_in(self, units: BoxUnits) -> Grammar | None:
        """What the model may write about a picture in which it counts boxes in ``units``."""
        return self.grammar if self.task.boxed_grammar is None else self.task.grammar(thinking=self.cot, units=units)


def make_call(record: RunRecord, options: CallOptions) -> Call:
    """Check a call's options. Raises ConfigError for one that is not allowed, SchemaError for a response format that
    cannot be enforced."""
    config = GenerationConfig.coerce(options.generation_config)
    cot, fps = options.cot, options.fps
    if not isinstance(cot, bool):
        raise ConfigError(f"cot={cot!r} is not allowed.", "It takes True or False.")
    if isinstance(fps, bool) or not isinstance(fps, Real) or not 0 < float(fps) < float("inf"):
        raise ConfigError(f"fps={fps!r} is not allowed.", "It takes a number above 0, in frames per second.")
    task = _task(record, options.task_type, options.response_format)
    pixels = PixelBudget(options.min_pixels, options.max_pixels)
    system_prompt = _system_prompt(record, task, cot, options.system_prompt)
    history = _history(options.history)
    return Call(task, system_prompt, config, cot, task.grammar(thinking=cot), float(fps), pixels, history)


def is_about_clips(task_type: str) -> bool:
    """Whether the task by this name is; False for what is no name of one."""
    try:
        return get_task(task_type) is VIDEO_FREEFORM
    except ConfigError:  # make_call's to tell
        return False


def lists_clips(record: RunRecord, task_type: Any) -> bool:
    """Whether folders and patterns stand for their clips too: the call's task, or else the run's, is about clips."""
    try:
        return _task(record, task_type, None) is VIDEO_FREEFORM
    except ConfigError:  # make_call's to tell
        return False


def _history(turns: Any) -> tuple[Turn, ...]:
    if not isinstance(turns, Sequence) or not all(isinstance(turn, Turn) for turn in turns):
        raise ConfigError(f"history={turns!r} is not allowed.", "It takes a list of Turn(role, text).")
    return tuple(turns)


def _task(record: RunRecord, task_type: str | None, response_format: Any) -> Task:
    if response_format is None:
        return get_task(task_type) if task_type is not None else _run_task(record)
    if task_type is not None and get_task(task_type).name != "generic":
        raise ConfigError(
            f"task_type={task_type!r} and response_format exclude each other: each says what the answer looks like.",
            "Leave one of them out.",
        )
    return custom_task(response_format)


def _run_task(record: RunRecord) -> Task:
    name = record.task_type or DEFAULT_TASK
    if name not in TASKS:
        raise ConfigError(
            f"This run was trained for {name!r}, which is not a task that can be read.",
            f"Pass task_type= with one of {', '.join(TASKS)}.",
        )
    return TASKS[name]


def _system_prompt(record: RunRecord, task: Task, cot: bool, given: str | None) -> str:
    """The caller's, or the prompt that the run was trained with for this task, else the task's own."""
    trained = record.system_prompt_for(task.name) if given is None else given
    prompt = task.system_prompt if trained is None else trained
    if not cot:
        return prompt
    if record.cot_suffix is None:
        return with_thinking(prompt)
    return f"{prompt}\n{record.cot_suffix}" if record.cot_suffix else prompt
