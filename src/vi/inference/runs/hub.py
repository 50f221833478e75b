"""Checkpoints by their Hugging Face name: a snapshot in the hub's own cache, fetched where it is not there yet."""

from __future__ import annotations

from pathlib import Path

from vi.inference.errors import LoadError

SMALL_FILES = ["*.json", "*.jinja", "*.txt", "*.model", "*.py"]
OFFLINE_HINT = "Pass a local folder instead, or go online once: the snapshot then stays in the hub's cache."


def fetch_snapshot(name: str, *, weights: bool = True, overwrite: bool = False) -> Path:
    """Folder of the newest snapshot of ``name``, or of the cached one when offline.

    weights: False leaves the weights away where they are not cached yet. Raises LoadError that says what to do.
    """
    import httpx
    from huggingface_hub import errors, snapshot_download

    patterns = [*SMALL_FILES, "*.safetensors", "pytorch_model*.bin"] if weights else SMALL_FILES
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, force_download=overwrite))
    except errors.GatedRepoError:
        message, hint = f"{name} is behind a licence form.", "Accept it on its page, then log in: hf auth login."
    except errors.RepositoryNotFoundError:
        message = f"There is no model {name} on the hub, or it is private, and no folder of that name here."
        hint = "Check the spelling; for a private model log in: hf auth login."
    except errors.HFValidationError:
        message, hint = f"{name!r} is neither a folder nor a hub name.", "A hub name looks like org/name."
    except errors.LocalEntryNotFoundError:
        message, hint = f"{name} is not in the hub's cache, and the hub cannot be reached.", OFFLINE_HINT
    except (errors.HfHubHTTPError, httpx.HTTPError, OSError) as error:
        message, hint = (
            f"{name} could not be fetched from the hub ({str(error) or type(error).__name__}).",
            OFFLINE_HINT,
        )
    raise LoadError(message, hint)
