"""Find a run: the embedded one, one of the local store, one fetched from a remote store, or a plain checkpoint."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from vi.inference.errors import ConfigError, LoadError
from vi.inference.runs.download import download, origin
from vi.inference.runs.files import RunFiles, read_run, require_model
from vi.inference.runs.hub import fetch_snapshot
from vi.inference.runs.local_store import (
    checkpoint_folder,
    folder_names,
    nearest_first,
    require_plain_name,
    resolve_store,
)
from vi.inference.runs.record import read_record
from vi.inference.runs.remote_store import CHECKPOINTS, RemoteStore, without_credentials

EMBEDDED_RUN = "workbench"
_log = logging.getLogger(__name__)


def find_run(
    run_id: str | None = None,
    *,
    pretrained_model_name_or_path: str | os.PathLike[str] | None = None,
    ckpt: str | None = None,
    save_path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    show_progress: bool = True,
    weights: bool = True,
) -> RunFiles:
    """The files of a run, on this machine when this returns.

    run_id: ``workbench`` (also when nothing is given) is the run in the package; any other is looked up in the local
    store first, then in the remote one if ``save_path`` or ``VI_MODEL_STORE`` is an fsspec URL.
    ckpt: name of a folder in the run's ``checkpoints/``, laid out like a run; one with an adapter only uses the
    run's own model. overwrite: fetch again. weights: False for looking only, a hub checkpoint's weights stay there.
    Raises LoadError saying where it looked and what is there, ConfigError for arguments that exclude each other.
    """
    if pretrained_model_name_or_path is not None:
        if run_id is not None or ckpt is not None:
            other = "run_id" if run_id is not None else "ckpt"
            raise ConfigError(f"{other} and pretrained_model_name_or_path exclude each other.", f"Leave {other} out.")
        return _find_checkpoint(os.fspath(pretrained_model_name_or_path), weights=weights, overwrite=overwrite)
    if run_id is None or run_id == EMBEDDED_RUN:
        return _find_embedded(ckpt)
    require_plain_name(run_id, "run id")
    if ckpt is not None:
        require_plain_name(ckpt, "checkpoint name")
    store, url = resolve_store(save_path)
    folder = store / run_id
    url = _source_of(folder, url, overwrite)
    remote = RemoteStore(url) if url and (overwrite or not folder.is_dir() or _lacks(folder, ckpt)) else None
    if remote:
        download(remote, run_id, folder, overwrite=overwrite, show_progress=show_progress)
    if not folder.is_dir():
        raise _no_such_run(run_id, store, remote)
    if ckpt is None:
        return read_run(folder, run_id=run_id)
    chosen = checkpoint_folder(folder, ckpt)
    if remote:
        download(remote, run_id, chosen, checkpoint=ckpt, overwrite=overwrite, show_progress=show_progress)
    if not chosen.is_dir():
        raise _no_such_checkpoint(run_id, ckpt, folder, remote)
    return read_run(chosen, run_id=run_id, base=folder)


def _find_embedded(ckpt: str | None) -> RunFiles:
    from vi import workbench

    if ckpt is not None:
        raise ConfigError(f"The embedded run {EMBEDDED_RUN} has no checkpoints; ckpt={ckpt!r}.", "Leave ckpt out.")
    folder = workbench.run_path()
    if not (folder / "model").is_dir():
        hint = "Reinstall vi-inference, or pass run_id= or pretrained_model_name_or_path=."
        raise LoadError(f"The embedded run's files are not in {folder / 'model'}.", hint)
    return read_run(folder, run_id=EMBEDDED_RUN)


def _find_checkpoint(name: str, *, weights: bool, overwrite: bool) -> RunFiles:
    """A local folder of that name, else a name on the hub."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1 or "\\" in name:
            names = nearest_first(folder.name, folder_names(folder.parent))
            hint = f"Folders in {folder.parent}: {names}. A hub name looks like org/name."
            raise LoadError(f"There is no folder {name}.", hint)
        folder = fetch_snapshot(name, weights=weights, overwrite=overwrite)
        require_model(folder, weights=weights)
    else:
        require_model(folder)
        name = folder.resolve().name
    return RunFiles(None, folder, None, read_record(folder), name)


def _source_of(folder: Path, url: str | None, overwrite: bool) -> str | None:
    """Where to fetch the run from. Raises LoadError where the folder is another store's run of the same name."""
    known = origin(folder)
    if url is None:
        if overwrite and folder.is_dir() and known is None:
            _log.warning("overwrite=True has no effect: %s was not fetched from a remote store", folder)
        return known
    label = without_credentials(url)
    if known is not None and known != label and not overwrite:
        hint = "Pass overwrite=True to replace it, or set VI_MODEL_STORE to another folder."
        raise LoadError(f"{folder} was fetched from {known}, not from {label}.", hint)
    return url


def _lacks(folder: Path, ckpt: str | None) -> bool:
    return ckpt is not None and not checkpoint_folder(folder, ckpt).is_dir()


def _no_such_run(run_id: str, store: Path, remote: RemoteStore | None) -> LoadError:
    places = f"{store} and {remote.label}" if remote else str(store)
    names = [EMBEDDED_RUN, *folder_names(store), *(remote.names() if remote else ())]
    hint = f"Looked in {places}. Runs: {nearest_first(run_id, names)}."
    if not remote:
        hint += " Another store: save_path= or VI_MODEL_STORE."
    return LoadError(f"There is no run {run_id!r}.", hint)


def _no_such_checkpoint(run_id: str, ckpt: str, folder: Path, remote: RemoteStore | None) -> LoadError:
    names = [*folder_names(folder / CHECKPOINTS), *(remote.names(run_id, CHECKPOINTS) if remote else ())]
    hint = f"Looked in {folder / CHECKPOINTS}. Checkpoints: {nearest_first(ckpt, names)}."
    return LoadError(f"The run {run_id!r} has no checkpoint {ckpt!r}.", hint)
