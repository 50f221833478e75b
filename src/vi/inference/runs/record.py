"""What ``run.json`` says about a run: its task, its model, and the prompts it was trained with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from vi.inference.errors import LoadError, did_you_mean
from vi.inference.task_types.boxes import CONVENTIONS

RUN_FILE = "run.json"
PRECISIONS = {
    "bf16": "bfloat16",
    "fp16": "float16",
    "half": "float16",
    "fp32": "float32",
    "float": "float32",
}


def task_name(spelling: str) -> str:
    """One spelling for the many in files: ``phrase_grounding``, ``PhraseGrounding`` → ``phrase-grounding``."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", spelling.strip())
    return re.sub(r"[\s_.-]+", "-", words).lower()


def precision_name(spelling: str) -> str:
    """``bf16``, ``torch.bfloat16``, ``BFLOAT16`` → ``bfloat16``."""
    name = spelling.strip().lower().removeprefix("torch.")
    return PRECISIONS.get(name, name)


class RunRecord(BaseModel):
    """The training record, all of it optional; ``metadata`` keeps whatever else the file says.

    Task names are normalised. ``boxes`` is the units that the run writes boxes in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    task_type: str | None = None
    supported_tasks: tuple[str, ...] = ()
    model_name: str | None = None
    precision: str | None = None
    system_prompt: str | None = None
    system_prompts: dict[str, str] = {}
    cot_suffix: str | None = None
    boxes: str = "relative-1024"
    generation_config: dict[str, Any] = {}
    metadata: dict[str, Any] = {}

    def system_prompt_for(self, task: str) -> str | None:
        """The prompt that the run was trained with for ``task``, or None.

        ``system_prompt`` is the prompt of the run's own task, or of every task where the run does not say which it is.
        """
        trained_for_it = self.task_type is None or self.task_type == task
        return self.system_prompts.get(task, self.system_prompt if trained_for_it else None)


class _Part(BaseModel):
    """A part of the file: known keys are checked, unknown ones kept. ``null`` is the same as absence."""

    model_config = ConfigDict(strict=True, extra="allow", protected_namespaces=())


class _Model(_Part):
    name: str | None = None
    precision: str | None = None


class _Spec(_Part):
    task_type: str | None = None
    supported_tasks: list[str] | None = None
    model: _Model | None = None
    system_prompts: dict[str, str] | None = None
    system_prompt: str | None = None
    cot_suffix: str | None = None
    boxes: str | None = None
    generation_config: dict[str, Any] | None = None


class _Flow(_Part):
    spec: _Spec | None = None


class _File(_Part):
    flow: _Flow | None = None


def read_record(folder: Path) -> RunRecord:
    """The record of the run whose model is in ``folder``; an empty one where there is no ``run.json``.

    Raises LoadError naming the file and the key that is wrong.
    """
    path = folder / RUN_FILE
    if not path.is_file():
        return RunRecord()
    try:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise LoadError(f"{path} cannot be read ({error.strerror}).", "Check the file's permissions.") from None
    except ValueError as error:
        raise LoadError(f"{path} is not JSON ({error}).", "Correct the file, or fetch the run again.") from None
    return parse_record(value, str(path))


def parse_record(value: Any, label: str) -> RunRecord:
    """The record in a parsed ``run.json``. ``label`` names the file in errors."""
    try:
        file = _File.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        hint = f"{first['msg'].rstrip('.')}. Correct the file, or fetch the run again."
        raise LoadError(f"{label}: {key} is {_shorten(first['input'])}.", hint) from None
    flow = file.flow or _Flow()
    spec = flow.spec or _Spec()
    model = spec.model or _Model()
    task = task_name(spec.task_type) if spec.task_type else None
    tasks = tuple(dict.fromkeys(task_name(name) for name in spec.supported_tasks or ()))
    if spec.boxes is not None and spec.boxes not in CONVENTIONS:
        hint = f"It takes {', '.join(CONVENTIONS)}. {did_you_mean(spec.boxes, CONVENTIONS)}".rstrip()
        raise LoadError(f"{label}: flow.spec.boxes is {spec.boxes!r}.", hint)
    return RunRecord(
        task_type=task,
        supported_tasks=tasks or ((task,) if task else ()),
        model_name=model.name,
        precision=precision_name(model.precision) if model.precision else None,
        system_prompt=spec.system_prompt if spec.system_prompt is not None else _block_system_prompt(value),
        system_prompts={task_name(name): text for name, text in (spec.system_prompts or {}).items()},
        cot_suffix=spec.cot_suffix,
        boxes=spec.boxes or RunRecord.model_fields["boxes"].default,
        generation_config=spec.generation_config or {},
        metadata=_unknown_keys(file, flow, spec, model),
    )


def _unknown_keys(file: _File, flow: _Flow, spec: _Spec, model: _Model) -> dict[str, Any]:
    """Everything the file says that the record has no field for, at the level where it said it."""
    rest: dict[str, Any] = model.model_extra or {}
    for key, part in (("model", spec), ("spec", flow), ("flow", file)):
        rest = {**(part.model_extra or {}), **({key: rest} if rest else {})}
    return rest


def _block_system_prompt(value: Mapping[str, Any]) -> str | None:
    """The system prompt of the flow-of-blocks layout, ``{"spec": {"flow": {"blocks": [...]}}}``."""
    for settings in _block_settings(value):
        prompt = settings.get("systemPrompt")
        if isinstance(prompt, str) and prompt:
            return prompt
    return None


def _block_settings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Settings of every block; parts of another shape are passed over, they belong to another program."""
    for key in ("spec", "flow", "blocks"):
        value = value.get(key) if isinstance(value, Mapping) else None
    for block in value if isinstance(value, list) else ():
        settings = block.get("settings") if isinstance(block, Mapping) else None
        if isinstance(settings, Mapping):
            yield settings


def _shorten(value: Any, limit: int = 60) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= limit else f"{text[:limit]}…"
