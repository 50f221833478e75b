"""The local store: ``<store>/<run_id>/model/``, ``adapter/`` and ``checkpoints/<ckpt>/`` (laid out like a run)."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from vi.inference.errors import LoadError
from vi.inference.runs.remote_store import CHECKPOINTS, is_url

STORE_VARIABLE = "VI_MODEL_STORE"
DEFAULT_STORE = "~/.datature/vi/models"


def resolve_store(save_path: str | os.PathLike[str] | None) -> tuple[Path, str | None]:
    """The local store, and the URL of the remote one behind it if there is one.

    ``save_path``, else ``VI_MODEL_STORE``, else ``~/.datature/vi/models``. What is fetched from a URL is kept in
    ``VI_MODEL_STORE`` where that is a folder, else in the default one.
    """
    default = Path(DEFAULT_STORE).expanduser()
    variable = os.environ.get(STORE_VARIABLE) or None
    place = os.fspath(save_path) if save_path is not None else variable
    if place is None:
        return default, None
    if not is_url(place):
        return Path(place).expanduser(), None
    if place.startswith(("file://", "local://")) and "::" not in place:
        return Path(place.split("://", 1)[1]).expanduser(), None
    local = Path(variable).expanduser() if variable and not is_url(variable) else default
    return local, place


def folder_names(folder: Path) -> list[str]:
    """Names of the visible folders in ``folder``; empty where it does not exist. Raises LoadError if unreadable."""
    try:
        return sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise LoadError(f"The store {folder} cannot be read ({error.strerror}).", "Check its permissions.") from None


def checkpoint_folder(run: Path, checkpoint: str) -> Path:
    return run / CHECKPOINTS / checkpoint


def require_plain_name(name: str, what: str) -> None:
    """Raise LoadError unless ``name`` can be one folder's name: no separators, no leading dot, not empty."""
    if not name or name.startswith(".") or any(c in name for c in "/\\:\0") or name != name.strip():
        hint = "It is the plain name of a folder; for a path use pretrained_model_name_or_path."
        raise LoadError(f"{name!r} is not a {what}.", hint)


def nearest_first(name: str, names: Iterable[str], limit: int = 10) -> str:
    """``names`` joined for a message, the most alike first, the rest counted."""
    ranked = sorted(set(names), key=lambda other: -difflib.SequenceMatcher(None, name, other).ratio())
    rest = f" and {len(ranked) - limit} more" if len(ranked) > limit else ""
    return (", ".join(ranked[:limit]) + rest) or "none"
