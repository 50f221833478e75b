"""``config.json``: what a checkpoint says it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vi.inference.errors import LoadError


def read_model_config(folder: Path) -> dict[str, Any]:
    """The table in ``config.json`` of a checkpoint's or a bundle's folder. Raises LoadError where there is none."""
    path, hint = folder / "config.json", "Fetch the checkpoint again."
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LoadError(f"{path} is not a model's configuration ({error}).", hint) from None
    if not isinstance(config, dict):
        raise LoadError(f"{path} is not a model's configuration: it is no table of settings.", hint)
    return config
