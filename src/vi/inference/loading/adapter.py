"""A LoRA adapter (peft) folded into its base model."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from vi.inference.errors import LoadError


def merge_adapter(model: Any, folder: Path, *, allow_pickle: bool = False) -> Any:
    """``model`` with the adapter's weights added to its own: as fast as the base, equal in what it computes.

    An adapter on tied embeddings is attached unmerged, since adding it to one would change the other.
    Raises LoadError for an adapter that is broken or does not fit the model.
    """
    import peft

    pickled = not (folder / "adapter_model.safetensors").is_file()
    if pickled and not allow_pickle:
        hint = "A pickle can run code: pass allow_pickle=True only for a file you trust, or convert it to safetensors."
        raise LoadError(f"{folder / 'adapter_model.bin'} is a pickle.", hint)
    try:
        config = peft.PeftConfig.from_pretrained(str(folder))
        config.inference_mode = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft warns of keys that do not fit; they are errors below
            attached = peft.PeftModel(model, config)
            report = attached.load_adapter(str(folder), "default", torch_device="cpu")
    except Exception as error:  # peft, safetensors and torch each have their own for a broken file
        reason = str(error).strip().splitlines() or [type(error).__name__]
        hint = "Fetch it again, or check that it was trained on this base model."
        raise LoadError(f"The adapter in {folder} cannot be loaded: {reason[0]}", hint) from error
    unfit = [*report.unexpected_keys, *(key for key in report.missing_keys if "lora_" in key)]
    if unfit:
        message = f"The adapter in {folder} does not fit the model: {len(unfit)} weights, such as {unfit[0]}."
        raise LoadError(message, "Use the base model it was trained on (base_model_name_or_path in its config).")
    if _touches_tied_weights(model, attached):
        return attached.get_base_model()
    try:
        return attached.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise LoadError(f"The adapter in {folder} is broken: {error}", "Fetch it again.") from None


def _touches_tied_weights(model: Any, attached: Any) -> bool:
    tied = bool(getattr(model.config, "tie_word_embeddings", False))
    embeddings = (model.get_input_embeddings(), model.get_output_embeddings())
    return tied and any(hasattr(module, "base_layer") for module in embeddings)
