"""A run's files → a model ready to run, with its tokenizer and image processor. The only caller of from_pretrained."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vi.inference.errors import LoadError, did_you_mean
from vi.inference.loading.adapter import merge_adapter
from vi.inference.loading.loaded import LoadedModel, TorchWeights
from vi.inference.loading.token_ids import eos_token_ids, media_token_ids, placeholder_id, text_config
from vi.inference.preprocess.clips import read_clips
from vi.inference.preprocess.families import FAMILIES
from vi.inference.preprocess.pixels import PictureEncoder
from vi.inference.preprocess.processors import read_pictures
from vi.inference.preprocess.tokenizer import ChatTokenizer
from vi.inference.preprocess.transformers_pictures import TransformersPictures
from vi.inference.runs.files import BUNDLE_FILE, RunFiles
from vi.inference.runs.model_config import read_model_config
from vi.inference.runs.weights import find_weights

if TYPE_CHECKING:
    import torch

DEFAULT_CONTEXT = 4096  # tokens, where neither config nor tokenizer states a limit
REMOTE_CODE_HINT = (
    "trust_remote_code=True runs the Python files of that folder with your rights: read them first, "
    "or use a checkpoint of an architecture that transformers has."
)


def load(
    files: RunFiles,
    *,
    device: str | torch.device = "auto",
    dtype: str | torch.dtype = "auto",
    trust_remote_code: bool = False,
    allow_pickle: bool = False,
    attn_implementation: str | None = None,
    device_map: Any = None,
    low_cpu_mem_usage: bool | None = None,
) -> LoadedModel:
    """Load the model of a run, its adapter merged.

    device, dtype: see ``device.py`` for what ``auto`` chooses; ``device_map`` (accelerate) replaces ``device``.
    low_cpu_mem_usage: accepted for scripts that pass it; loading never holds the weights twice.
    Raises LoadError for files, a device, a number format or memory that is not there, and for code or pickles that
    the caller did not allow.
    """
    from vi.inference.loading.device import choose_device, choose_dtype, require_memory

    folder = files.model_path
    parameters = _safe_weights(folder, allow_pickle)
    config = _load_config(folder, trust_remote_code)
    target = choose_device(device)
    chosen = choose_dtype(dtype, target, stored=_stored_dtype(config), parameters=parameters)
    if device_map is None:
        require_memory(target, chosen, parameters)
    model_class = _model_class(config, folder, trust_remote_code)
    stated = {"trust_remote_code": trust_remote_code or None, "device_map": device_map}
    stated["attn_implementation"] = attn_implementation
    options = {name: value for name, value in stated.items() if value is not None}
    model = _load_weights(model_class, folder, config, chosen, allow_pickle, options)
    if files.adapter_path is not None:
        model = merge_adapter(model, files.adapter_path, allow_pickle=allow_pickle)
    if device_map is None:
        model = _move(model, target)
    model.eval().requires_grad_(False)
    return _with_its_words(model, config, chosen, folder, trust_remote_code)


def _with_its_words(model: Any, config: Any, dtype: torch.dtype, folder: Path, trust_remote_code: bool) -> LoadedModel:
    tokenizer = _load_tokenizer(folder, trust_remote_code)
    facts = config.to_dict()
    vocab_size = model.get_output_embeddings().weight.shape[0]
    eos_ids = eos_token_ids(folder, facts, tokenizer)
    media_ids = media_token_ids(facts, tokenizer, eos_ids)
    return LoadedModel(
        weights=TorchWeights(model, model.config, model.device, dtype),
        family=config.model_type,
        config=facts,
        tokenizer=tokenizer,
        pictures=_load_pictures(folder, facts, trust_remote_code),
        eos_token_ids=tuple(token_id for token_id in eos_ids if token_id < vocab_size),
        media_token_ids=tuple(token_id for token_id in media_ids if token_id < vocab_size),
        placeholder_id=placeholder_id(facts),
        context_length=_context_length(facts, tokenizer),
        vocab_size=vocab_size,
        clips=read_clips(folder, config.model_type),
    )


def _safe_weights(folder: Path, allow_pickle: bool) -> int:
    """Number of parameters, or 0 where only a pickle knows. Raises LoadError for pickles that were not allowed."""
    weights = find_weights(folder)
    if weights.missing:
        raise LoadError(f"{folder} lacks {', '.join(weights.missing)}.", "Fetch the checkpoint again.")
    if (folder / "adapter_config.json").is_file():
        hint = "Move adapter_config.json and adapter_model.safetensors into <run>/adapter/."
        raise LoadError(f"{folder} holds an adapter among the model's own files.", hint)
    if weights.safetensors:
        return weights.parameter_count()
    if not weights.pickles and (folder / BUNDLE_FILE).is_file():
        message = f"{folder} holds a bundle, for CPUs, without the weights of the checkpoint it was made of."
        raise LoadError(
            message, "Load that checkpoint, or leave out device=, dtype=, weights= and what else asks for it."
        )
    names = ", ".join(path.name for path in weights.pickles) or "none"
    if not (weights.pickles and allow_pickle):
        hint = "A pickle can run code: pass allow_pickle=True only for files you trust, or convert them to safetensors."
        raise LoadError(f"{folder} has no safetensors weights; pickles: {names}.", hint)
    return 0


def _load_config(folder: Path, trust_remote_code: bool) -> Any:
    import transformers
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    path, stated = folder / "config.json", read_model_config(folder)
    model_type = stated.get("model_type")
    if model_type not in CONFIG_MAPPING_NAMES and not trust_remote_code:
        if stated.get("auto_map"):
            raise LoadError(f"{folder} brings its own code for {model_type!r} models.", REMOTE_CODE_HINT)
        hint = f"{did_you_mean(str(model_type), CONFIG_MAPPING_NAMES)} A newer transformers may know it.".strip()
        raise LoadError(f"{path}: transformers {transformers.__version__} has no model_type {model_type!r}.", hint)
    with _reported(f"{path} cannot be used"):
        return transformers.AutoConfig.from_pretrained(folder, trust_remote_code=trust_remote_code)


def _model_class(config: Any, folder: Path, trust_remote_code: bool) -> Any:
    """Exactly the class the checkpoint names: asking for it by name imports that architecture alone."""
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES as KNOWN

    name = KNOWN.get(config.model_type)
    if isinstance(name, str):
        return getattr(transformers, name)
    auto_map = getattr(config, "auto_map", None) or {}
    for auto in ("AutoModelForImageTextToText", "AutoModelForCausalLM", "AutoModel"):
        if auto in auto_map:
            if not trust_remote_code:
                raise LoadError(f"{folder} brings its own code ({auto_map[auto]}).", REMOTE_CODE_HINT)
            return getattr(transformers, auto)
    architecture = ", ".join(config.architectures or [config.model_type])
    hint = f"It takes a checkpoint of one of: {', '.join(sorted(KNOWN))}."
    raise LoadError(f"{folder} is not a vision-language model ({architecture}).", hint)


def _load_weights(
    model_class: Any, folder: Path, config: Any, dtype: torch.dtype, allow_pickle: bool, options: dict[str, Any]
) -> Any:
    with _reported(f"The weights in {folder} cannot be loaded"), _without_bars():
        model, report = model_class.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=None if allow_pickle else True,
            weights_only=True,
            output_loading_info=True,
            **options,
        )
    missing = sorted(report["missing_keys"])
    if missing:  # transformers would fill them with random numbers
        message = f"The weights in {folder} lack {len(missing)} of the model's tensors, such as {missing[0]}."
        raise LoadError(message, "Fetch the checkpoint again; config.json and the weights must belong together.")
    return model


def _load_tokenizer(folder: Path, trust_remote_code: bool) -> ChatTokenizer:
    """From ``tokenizer.json`` where there is one, else what transformers makes of the older files."""
    if (folder / "tokenizer.json").is_file():
        return ChatTokenizer.read(folder)
    import transformers

    with _reported(f"The tokenizer in {folder} cannot be loaded"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, trust_remote_code=trust_remote_code, local_files_only=True
        )
        return ChatTokenizer.of(tokenizer, folder)


def _load_pictures(folder: Path, config: dict[str, Any], trust_remote_code: bool) -> PictureEncoder:
    """Ours, else transformers' Pillow one whether torchvision is there or not: the same pixels on every machine."""
    family = FAMILIES.get(config["model_type"])
    options = family.options(config) if family is not None else {}
    if (pictures := read_pictures(folder, options)) is not None:
        return pictures
    import transformers

    with _reported(f"The picture processor in {folder} cannot be loaded"):
        processor = transformers.AutoImageProcessor.from_pretrained(
            folder, backend="pil", trust_remote_code=trust_remote_code, local_files_only=True
        )
        return TransformersPictures(processor, options)


def _move(model: Any, device: torch.device) -> Any:
    with _reported(f"The model cannot be moved to {device}"):
        return model.to(device)


def _stored_dtype(config: Any) -> Any:
    return getattr(config, "dtype", None) or getattr(config.get_text_config(), "dtype", None)


def _context_length(config: dict[str, Any], tokenizer: ChatTokenizer) -> int:
    stated = (text_config(config).get("max_position_embeddings"), tokenizer.model_max_length)
    return next((int(value) for value in stated if value), DEFAULT_CONTEXT)


@contextmanager
def _reported(what: str) -> Iterator[None]:
    """Whatever a loader underneath raises, as a LoadError whose first line is its first line."""
    import torch

    try:
        yield
    except LoadError:
        raise
    except (MemoryError, torch.OutOfMemoryError) as error:
        from vi.inference.loading.device import available_devices

        hint = f"Try dtype='bfloat16', a smaller model, or another device= ({', '.join(available_devices())})."
        raise LoadError(f"{what}: out of memory.", hint) from error
    except Exception as error:  # transformers, safetensors, tokenizers and torch share no base class
        lines = str(error).strip().splitlines() or [type(error).__name__]
        hint = "Fetch the checkpoint again, or check that its files belong together."
        if isinstance(error, ImportError):
            hint = "Install what it names, or leave out the option that needs it."
        raise LoadError(f"{what}: {lines[0].rstrip('.')}.", hint) from error


@contextmanager
def _without_bars() -> Iterator[None]:
    """No progress bars of transformers, which would write into a caller's terminal; its setting is put back."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
