"""Asking a model in tests: pictures, settings, and reading outcomes."""

from __future__ import annotations

import time
import weakref
from typing import Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, Field, field_validator

from vi.inference import ViError
from vi.inference.engine.generation import Job

GREEDY = {"max_new_tokens": 16, "logprobs": 0}
SAMPLED = {"max_new_tokens": 16, "logprobs": 0, "do_sample": True, "temperature": 1.5}


class Endless(BaseModel):
    """An answer that takes thousands of steps unless it is stopped."""

    text: str = Field(min_length=1500)


class Never(BaseModel):
    """An answer that its class rejects, whatever it is."""

    sound: bool

    @field_validator("sound")
    @classmethod
    def never(cls, value: bool) -> bool:
        raise ValueError("never good enough")


ENDLESS = {"response_format": Endless, "generation_config": {"max_new_tokens": 1800}}


def picture(size: tuple[int, int] = (64, 48)) -> Image.Image:
    """Noise of (width, height), the same for the same size."""
    pixels = np.random.default_rng(size).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def answer(outcome: tuple[Any, Any]) -> Any:
    """The answer of an outcome that is one."""
    result, error = outcome
    assert error is None, error
    assert result is not None
    return result


def failure(outcome: tuple[Any, Any]) -> ViError:
    """The error of an outcome that is one."""
    result, error = outcome
    assert result is None
    assert isinstance(error, ViError)
    return error


def tokens(response: Any) -> list[int]:
    """The token ids of an answer that was asked for with ``logprobs``."""
    return [entry.token_id for entry in response.logprobs]


def but_the_clock(response: Any) -> dict[str, Any]:
    """All that an answer says, but for how long things took, what was found computed, and logprobs' last digits."""
    facts = response.model_dump(exclude={"timings": True, "usage": {"cached_tokens"}})
    return facts | {"logprobs": [(token["token_id"], round(token["logprob"], 3)) for token in facts["logprobs"] or []]}


class Requests:
    """The engine's requests from now on, as long as somebody holds them."""

    def __init__(self, monkeypatch: Any) -> None:
        self._jobs: weakref.WeakSet[Job] = weakref.WeakSet()
        begin = Job.__init__

        def begin_and_note(job: Job, *arguments: Any) -> None:
            begin(job, *arguments)
            self._jobs.add(job)

        monkeypatch.setattr(Job, "__init__", begin_and_note)

    def running(self) -> list[Job]:
        return [job for job in list(self._jobs) if not job.done.is_set()]

    def wanted(self) -> list[Job]:
        """Those still wanted after a while; a reader that is amid its source sees late that nobody wants it."""
        deadline = time.monotonic() + 2
        while (left := [job for job in self.running() if not job.cancelled]) and time.monotonic() < deadline:
            time.sleep(0.01)
        return left

    def ended(self) -> bool:
        """Whether all have ended; one that nobody wants any more does so within a step."""
        deadline = time.monotonic() + 10
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.01)
        return not self.running()
