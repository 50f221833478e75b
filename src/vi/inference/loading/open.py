"""The model of a run, whether its folder is a bundle or a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vi.inference.errors import LoadError
from vi.inference.loading.loaded import LoadedModel
from vi.inference.preprocess.families import get_family
from vi.inference.preprocess.processors import ENCODERS, read_pictures
from vi.inference.preprocess.tokenizer import ChatTokenizer
from vi.inference.runs.files import RunFiles

if TYPE_CHECKING:
    from vi.inference.bundle.layout import Bundle


def open_model(files: RunFiles, **options: Any) -> LoadedModel:
    """What a run's folder holds: a bundle, read without torch and transformers, or a checkpoint for ``loader.load``.

    options: those of ``load``; a bundle takes none of them. Raises LoadError.
    """
    from vi.inference.bundle.layout import is_bundle, read_bundle

    if is_bundle(files.model_path):
        return of_bundle(read_bundle(files.model_path))
    from vi.inference.loading.loader import load

    return load(files, **options)


def of_bundle(bundle: Bundle) -> LoadedModel:
    """A bundle with its words and pictures. Raises LoadError where it lacks what those need."""
    facts, config = bundle.facts, _read_config(bundle.folder)
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
    )


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LoadError(f"{path} is not a model's configuration ({error}).", "Make the bundle again.") from None
    if not isinstance(config, dict):
        raise LoadError(f"{path} is not a table of settings.", "Make the bundle again.")
    return config
