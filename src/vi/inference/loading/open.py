"""The model of a run, whether its folder is a bundle or a checkpoint."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from vi.inference.errors import ConfigError, LoadError, did_you_mean
from vi.inference.loading.loaded import LoadedModel
from vi.inference.preprocess.clips import read_clips
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.processors import ENCODERS, read_pictures
from vi.inference.preprocess.tokenizer import ChatTokenizer
from vi.inference.runs.files import RunFiles
from vi.inference.runs.model_config import read_model_config
from vi.inference.runs.weights import find_weights

if TYPE_CHECKING:
    from vi.inference.bundle.layout import Bundle

RUNNERS = ("auto", "openvino", "torch")


def open_model(
    files: RunFiles,
    *,
    runner: str = "auto",
    weights: str | None = None,
    show_progress: bool = True,
    device: Any = "auto",
    dtype: Any = "auto",
    **options: Any,
) -> LoadedModel:
    """A run as what suits this machine: graphs for the CPU, read without torch and transformers, or a torch model.

    runner: ``openvino``, ``torch`` or ``auto``: the first for a folder that holds nothing but graphs, and on a CPU,
    where the architecture can be converted and nothing is asked for that only torch has. weights: how graphs that are
    made now store theirs. The rest: see ``loader.load``.
    Raises LoadError, and ConfigError for a runner that there is not.
    """
    if runner not in RUNNERS:
        hint = f"{did_you_mean(runner, RUNNERS)} It takes one of {', '.join(RUNNERS)}.".lstrip()
        raise ConfigError(f"runner={runner!r} is not allowed.", hint)
    if weights is not None and runner == "torch":
        raise ConfigError(f"weights={weights!r} is for runner='openvino'.", "Leave one of them out.")
    only_torch = any(options.values()) or dtype not in ("auto", "float32")
    if runner == "openvino" or (runner == "auto" and not only_torch and _suits_graphs(files, device)):
        from vi.inference.bundle.cache import bundle_for

        return of_bundle(bundle_for(files, weights=weights, show_progress=show_progress))
    _require_torch(files)
    from vi.inference.loading.loader import load

    return load(files, device=device, dtype=dtype, **options)


def _require_torch(files: RunFiles) -> None:
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            message = f"{files.name} would run with PyTorch, and {package} is not installed."
            raise LoadError(message, "Install both: pip install 'vi-inference[torch]'.")


def _suits_graphs(files: RunFiles, device: Any) -> bool:
    """Whether graphs are what to run: where there is nothing else, and on a CPU where the architecture allows it."""
    found = find_weights(files.model_path)
    if device == "auto" and not (found.safetensors or found.pickles):
        return True
    return _on_cpu(device) and _converts(files)


def _on_cpu(device: Any) -> bool:
    if device != "auto":
        return str(device) == "cpu"
    from vi.inference.loading.device import choose_device, may_have_accelerator

    return not may_have_accelerator() or choose_device(device).type == "cpu"


def _converts(files: RunFiles) -> bool:
    from vi.inference.bundle.convertible import require_convertible_checkpoint

    try:
        require_convertible_checkpoint(files.model_path)
    except LoadError:
        return False
    return True


def of_bundle(bundle: Bundle) -> LoadedModel:
    """A bundle with its words and pictures. Raises LoadError where it lacks what those need."""
    facts, config = bundle.facts, read_model_config(bundle.folder)
    pictures = read_pictures(bundle.folder, get_family(facts.family).options(config))
    if pictures is None:
        message = f"The pictures of {bundle.folder} cannot be prepared without transformers."
        raise LoadError(message, f"A bundle takes one of these processors: {', '.join(ENCODERS)}.")
    return LoadedModel(
        weights=bundle,
        family=facts.family,
        config=config,
        tokenizer=ChatTokenizer.read(bundle.folder),
        pictures=pictures,
        eos_token_ids=tuple(facts.eos_token_ids),
        media_token_ids=tuple(facts.media_token_ids),
        placeholder_id=facts.placeholder_id,
        context_length=facts.context_length,
        vocab_size=facts.vocab_size,
        clips=read_clips(bundle.folder, facts.family),
    )
