"""ViModel: load a model, ask it about pictures, get typed answers."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vi.inference.asks import Asks
from vi.inference.call import CallOptions, lists_clips
from vi.inference.engine.settings import EngineSettings
from vi.inference.errors import ConfigError, InferenceError, ViError
from vi.inference.generation_config import GenerationConfig, WarnOnce
from vi.inference.generation_config.resolution import merge
from vi.inference.inquiry import Inquiry, one_by_one
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand
from vi.inference.model_info import ModelInfo, inspect
from vi.inference.runs import find_run

if TYPE_CHECKING:
    from vi.inference.answerer import Answerer
    from vi.inference.batch.run import Summary
    from vi.inference.engine.base import EngineState
    from vi.inference.estimate import Estimate
    from vi.inference.preprocess.turns import Turn
    from vi.inference.task_types.response import PredictionResponse

_log = logging.getLogger("vi.inference")


class ViModel:
    """A vision-language model that answers questions about pictures.

    ``ViModel()`` is the small model that ships with the package; ``run_id=`` a run of the store;
    ``pretrained_model_name_or_path=`` a local folder or a hub name. Any number of threads may call one model. Use it in
    a ``with`` block, or ``close()`` it, to free the device.

    ckpt, save_path, overwrite, show_progress: see ``find_run``. generation_config: defaults of every call, below
    what a call itself sets. device: ``auto``, ``cpu``, ``cuda``, ``mps``; dtype: ``auto``, ``float32``, ``bfloat16``,
    ``float16``. trust_remote_code: run Python that the checkpoint brings. allow_pickle: load weights that are pickles,
    which can run code. runner: ``openvino`` (graphs for CPUs, made when a checkpoint is first loaded and kept),
    ``torch``, or ``auto``: the first on a CPU where the architecture allows it. weights: of such graphs, ``f16``,
    ``int8`` or ``int4``; None keeps the checkpoint's. engine: how many requests run at once and in how much memory, see
    ``EngineSettings``. media_policy: what sources may be read, by default all that a script of one's own needs. The
    rest goes to transformers' loader.
    Raises LoadError that says what is missing and what to do, ConfigError for an argument that is not allowed and for
    a generation config in ``run.json`` that is not.
    """

    def __init__(
        self,
        run_id: str | None = None,
        *,
        pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        ckpt: str | None = None,
        save_path: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        generation_config: GenerationConfig | dict[str, Any] | str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        device_map: Any = None,
        attn_implementation: str | None = None,
        low_cpu_mem_usage: bool | None = None,
        trust_remote_code: bool = False,
        allow_pickle: bool = False,
        show_progress: bool = True,
        runner: str = "auto",
        weights: str | None = None,
        engine: EngineSettings | dict[str, Any] | None = None,
        media_policy: MediaPolicy | None = None,
    ) -> None:
        self._defaults = defaults = GenerationConfig.coerce(generation_config)
        settings = EngineSettings.coerce(engine)
        self._policy = MediaPolicy.coerce(media_policy)
        self._files = find_run(
            run_id,
            pretrained_model_name_or_path=pretrained_model_name_or_path,
            ckpt=ckpt,
            save_path=save_path,
            overwrite=overwrite,
            show_progress=show_progress,
        )
        merge(model=defaults, run=self._files.record.generation_config)  # a bad run.json speaks up now
        from vi.inference.answerer import Answerer
        from vi.inference.loading.open import open_model

        loaded = open_model(
            self._files,
            runner=runner,
            weights=weights,
            show_progress=show_progress,
            device=device,
            dtype=dtype,
            device_map=device_map,
            attn_implementation=attn_implementation,
            low_cpu_mem_usage=low_cpu_mem_usage,
            trust_remote_code=trust_remote_code,
            allow_pickle=allow_pickle,
        )
        self._answerer: Answerer | None = Answerer(loaded, self._files.record, defaults, WarnOnce(_log), settings)

    def __call__(
        self,
        source: Any = None,
        user_prompt: str | Sequence[str] | None = None,
        generation_config: GenerationConfig | dict[str, Any] | str | None = None,
        stream: bool = False,
        cot: bool = False,
        fps: float = 4.0,
        task_type: str | None = None,
        response_format: Any = None,
        recursive: bool = False,
        show_progress: bool = True,
        media_policy: MediaPolicy | None = None,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        system_prompt: str | None = None,
        history: Sequence[Turn] = (),
    ) -> Any:
        """Ask about one picture or clip, or about each of many.

        source: path, folder (``recursive=`` looks into its folders), http(s) URL, ``data:`` URI, base64, bytes,
        ``PIL.Image``, numpy array (HWC), ``Pictures(...)``, or a list or iterator of these. user_prompt: one for all,
        or one per source; None is the task's default. system_prompt: in place of the run's or the task's own. history:
        turns that went before, of which each says how many of the source's pictures were shown in it.
        generation_config: a dict, a GenerationConfig or a preset's name. cot: think first. fps: frames a second for
        clips, ignored for pictures. min_pixels, max_pixels: width times height of a picture, or of each frame of a
        clip, as the model sees it, for Qwen's families; None is the checkpoint's own. task_type: ``vqa``,
        ``phrase-grounding``, ``freeform``, ``video-freeform`` or ``generic``; None is the run's own. response_format:
        a pydantic class that the answer conforms to. media_policy: what may be read, in place of the model's own.

        Returns ``(answer, None)`` or ``(None, error)`` for one source; a list of these, in order, for many; a
        ``Stream`` with ``stream=True``. Every error is a ViError. What is wrong for all of many sources raises
        (ConfigError, PromptError, SchemaError, InferenceError of a closed model); with ``stream=True`` whatever is
        wrong before the first token does.
        """
        options = CallOptions(
            generation_config, task_type, response_format, cot, fps, min_pixels, max_pixels, system_prompt, history
        )
        if isinstance(source, Iterator) and not hasattr(source, "read"):  # a file is one too
            source = list(source)
        policy = MediaPolicy.coerce(media_policy, self._policy)
        sources = expand(source, recursive, policy, clips=lists_clips(self._files.record, task_type))
        inquiry = Inquiry(self._ready, self._files.record, sources, user_prompt, options, policy)
        return inquiry.stream() if stream else inquiry.answer(show_progress)

    def iter(
        self,
        sources: Any,
        user_prompt: str | Iterable[str | None] | None = None,
        generation_config: GenerationConfig | dict[str, Any] | str | None = None,
        *,
        ordered: bool = True,
        cot: bool = False,
        fps: float = 4.0,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        task_type: str | None = None,
        response_format: Any = None,
        recursive: bool = False,
        media_policy: MediaPolicy | None = None,
    ) -> Generator[tuple[Any, PredictionResponse | None, ViError | None], None, None]:
        """Ask about each of many, however many: ``(source, answer, error)`` one by one, as soon as each is there.

        sources: any iterable of what a call takes or of rows of a table (read lazily, a bounded number ahead), or a
        folder; a row's own prompt, task and settings go first. user_prompt: one for all, or an iterable with one for
        each. ordered: in the order of the sources; False gives each when it is
        finished. source: as it was given; a file of a folder as its path. Closing the iterator cancels what has begun.
        The rest as in a call. Raises at once what is wrong for all of them, as a call does with a list.
        """
        options = CallOptions(generation_config, task_type, response_format, cot, fps, min_pixels, max_pixels)
        policy = MediaPolicy.coerce(media_policy, self._policy)
        asks = Asks(self._files.record, sources, user_prompt, options, policy, recursive)
        return one_by_one(self._ready().answers(asks, ordered))

    def run(
        self,
        table: Any,
        out: str | os.PathLike[str],
        user_prompt: str | None = None,
        generation_config: GenerationConfig | dict[str, Any] | str | None = None,
        *,
        task_type: str | None = None,
        cot: bool = False,
        fps: float = 4.0,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
        ordered: bool = True,
        retry_errors: bool = False,
        recursive: bool = False,
    ) -> Summary:
        """Ask about every row of a table and write one row each; interrupted, the same call goes on where it was.

        table: a CSV, JSON Lines or Parquet file with a ``source`` column, ``@list.txt``, a folder, a pattern, or any
        iterable of sources and rows. out: a name that ends in .jsonl, .csv or .parquet. retry_errors: ask again what
        has an error. The rest as in ``iter``. Raises what ``vi.inference.batch.run.run_batch`` raises.
        """
        from vi.inference.batch.input import read_input
        from vi.inference.batch.keys import model_part
        from vi.inference.batch.run import Question, run_batch

        self._ready()
        named = isinstance(table, (str, os.PathLike))
        clips = lists_clips(self._files.record, task_type)
        return run_batch(
            self,
            read_input(os.fsdecode(table), recursive, self._policy, clips=clips) if named else table,
            Path(out),
            Question(user_prompt, generation_config, task_type, cot, fps, min_pixels, max_pixels),
            model_key=model_part(self._files.model_path, self._files.adapter_path, generation_config=self._defaults),
            default_task=self.info.task_type,
            ordered=ordered,
            retry_errors=retry_errors,
            media_policy=self._policy,
        )

    def estimate(
        self,
        source: Any,
        user_prompt: str | None = None,
        generation_config: GenerationConfig | dict[str, Any] | str | None = None,
        *,
        task_type: str | None = None,
        response_format: Any = None,
        cot: bool = False,
        fps: float = 4.0,
        min_pixels: int | None = None,
        max_pixels: int | None = None,
    ) -> Estimate:
        """What asking about one picture or clip would take (tokens, size, memory) and whether it fits; nothing runs.

        ``image_tokens`` are with the call's ``min_pixels`` and ``max_pixels``, ``image_tokens_before`` without.
        Raises what is wrong with the call or the source, a ViError.
        """
        options = CallOptions(generation_config, task_type, response_format, cot, fps, min_pixels, max_pixels)
        ask, *more = Asks(self._files.record, source, user_prompt, options, self._policy)
        if more:
            raise ConfigError("estimate takes one source.", "Estimate them one by one.")
        return self._ready().estimate(ask)

    @classmethod
    def inspect(
        cls,
        run_id: str | None = None,
        *,
        pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
        ckpt: str | None = None,
        save_path: str | os.PathLike[str] | None = None,
    ) -> ModelInfo:
        """What a model is (architecture, size, tasks) without loading its weights. Raises LoadError."""
        files = find_run(
            run_id,
            pretrained_model_name_or_path=pretrained_model_name_or_path,
            ckpt=ckpt,
            save_path=save_path,
            weights=False,
        )
        return inspect(files)

    @property
    def info(self) -> ModelInfo:
        """What this model is."""
        return inspect(self._files)

    @property
    def state(self) -> EngineState:
        """What its engine is at: requests that run and wait, and what it died of. Raises InferenceError if closed."""
        return self._ready().state

    @property
    def generation_config(self) -> GenerationConfig:
        """The values of a call that sets none."""
        return merge(model=self._defaults, run=self._files.record.generation_config).config

    def close(self) -> None:
        """End what is being answered and free the device. Closing twice does nothing; a later call is an error."""
        answerer, self._answerer = self._answerer, None
        if answerer is not None:
            answerer.close()

    def __enter__(self) -> ViModel:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = ", closed" if self._answerer is None else ""
        return f"ViModel({self._files.name!r}{state})"

    def _ready(self) -> Answerer:
        if self._answerer is None:
            raise InferenceError("This model is closed.", "Load it again with ViModel(...).")
        return self._answerer
