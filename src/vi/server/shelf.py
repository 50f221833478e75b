"""The models by name: loaded when somebody asks, the least used out where there is no room."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from vi.inference.errors import ViError, did_you_mean
from vi.inference.generation_config.resolution import merge
from vi.inference.runs import find_run
from vi.server.envelope import ApiError

if TYPE_CHECKING:
    from vi.inference.generation_config import GenerationConfig
    from vi.inference.media.policy import MediaPolicy
    from vi.inference.model import ViModel

_log = logging.getLogger("vi.server")
PLACES = ("run_id", "pretrained_model_name_or_path", "ckpt", "save_path")  # arguments of ViModel that find its files


@dataclass(eq=False)
class Slot:
    """One model's place: ``loading`` gives it. users: borrowers that have not given it back. used: when it was last."""

    loading: asyncio.Task[ViModel]
    users: int = 0
    used: int = 0

    @property
    def model(self) -> ViModel | None:
        """None while it is being loaded and where that failed."""
        done = self.loading.done() and not self.loading.cancelled() and self.loading.exception() is None
        return self.loading.result() if done else None


@dataclass
class Loan:
    """A model that stays loaded until it is given back."""

    name: str
    model: ViModel
    _give_back: Callable[[], None] = field(repr=False)

    def give_back(self) -> None:
        """Once; further calls do nothing."""
        give_back, self._give_back = self._give_back, lambda: None
        give_back()


class Shelf:
    """Up to ``most`` models in memory; the event loop alone uses it, loading and closing happen on ``threads``."""

    def __init__(
        self, models: Mapping[str, Mapping[str, Any]], most: int, policy: MediaPolicy, threads: Executor
    ) -> None:
        """models: name -> arguments of ViModel, the default first."""
        self._arguments = {name: {**arguments, "media_policy": policy} for name, arguments in models.items()}
        self._most, self._threads = most, threads
        self._slots: dict[str, Slot] = {}
        self._given_back = asyncio.Event()
        self._clock = count(1)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._arguments)

    def loaded(self) -> Iterator[tuple[str, ViModel]]:
        """Those in memory."""
        for name, slot in self._slots.items():
            if (model := slot.model) is not None:
                yield name, model

    def require(self, name: str | None) -> str:
        """A name that is there, the default for None. Raises ApiError 404."""
        if name is None:
            return self.names[0]
        if name not in self._arguments:
            near = did_you_mean(name, self.names)
            raise ApiError(
                404,
                "model_not_found",
                f"There is no model {name[:100]!r}.",
                f"{near} There are {', '.join(self.names)}.".lstrip(),
                param="model",
            )
        return name

    async def defaults(self) -> dict[str, GenerationConfig]:
        """What a call gets that sets nothing, by model, loaded or not; without those that are not there."""
        return {name: config for name in self.names if (config := await self._run(self._defaults, name)) is not None}

    async def borrow(self, name: str | None) -> Loan:
        """The model, loaded first where it is not; waits where all others are in use.

        Raises ApiError 404 and what ``ViModel(...)`` raises.
        """
        name = self.require(name)
        while (slot := self._slots.get(name)) is None:
            if len(self._slots) < self._most:
                self._begin(name)
            elif (least := self._least_used()) is not None:
                self._begin(name, instead=self._slots.pop(least).model)
            else:
                self._given_back.clear()
                await self._given_back.wait()
        slot.users += 1
        try:
            model = await asyncio.shield(slot.loading)
        except BaseException:
            self._return(slot)
            raise
        slot.used = next(self._clock)
        return Loan(name, model, lambda: self._return(slot))

    async def close(self) -> None:
        """Close every model."""
        slots, self._slots = self._slots, {}
        for slot in slots.values():
            try:
                model = await slot.loading
            except Exception:
                continue  # it was told when it happened
            await self._run(model.close)

    def _begin(self, name: str, instead: ViModel | None = None) -> None:
        self._slots[name] = Slot(asyncio.create_task(self._load(name, instead)))

    async def _load(self, name: str, instead: ViModel | None) -> ViModel:
        if instead is not None:
            await self._run(instead.close)
        try:
            model = await self._run(self._open, name)
        except Exception as error:
            _log.error("%s could not be loaded: %s", name, error)
            del self._slots[name]  # the next request tries again
            self._given_back.set()
            raise
        _log.info("%s is loaded", name)
        return model

    def _open(self, name: str) -> ViModel:
        from vi.inference.model import ViModel

        return ViModel(**self._arguments[name], show_progress=False)

    def _defaults(self, name: str) -> GenerationConfig | None:
        arguments = self._arguments[name]
        places = {place: arguments[place] for place in PLACES if place in arguments}
        try:
            record = find_run(**places, weights=False).record
            return merge(model=arguments.get("generation_config"), run=record.generation_config).config
        except ViError:  # told when it is loaded
            return None

    def _least_used(self) -> str | None:
        """The idle model that was borrowed longest ago; None where all are in use."""
        idle = [(slot.used, name) for name, slot in self._slots.items() if not slot.users and slot.model is not None]
        return min(idle)[1] if idle else None

    def _return(self, slot: Slot) -> None:
        slot.users -= 1
        self._given_back.set()

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
