"""The run that ships with the package: a small model of a drawn workbench, and sample pictures of its world."""

from __future__ import annotations

from pathlib import Path

from vi.inference.errors import SourceError, did_you_mean

_HERE = Path(__file__).parent


def run_path() -> Path:
    """Folder of the embedded run; the model's files are in its ``model/``, as in any store."""
    return _HERE


def samples(folder: Path = _HERE / "samples") -> tuple[Path, ...]:
    """Sample pictures and clips by name; documents and hidden files are left out."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(p for p in folder.iterdir() if p.is_file() and p.suffix not in ("", ".md", ".json", ".py")))


def sample(name: str, folder: Path = _HERE / "samples") -> Path:
    """Path of one sample, named with or without its suffix. Raises SourceError with the names that exist."""
    paths = samples(folder)
    for path in paths:
        if name in (path.name, path.stem):
            return path
    names = [path.name for path in paths]
    hint = did_you_mean(name, [*names, *(path.stem for path in paths)])
    raise SourceError(f"There is no sample named {name!r}.", f"{hint} Samples: {', '.join(names) or 'none'}.".strip())
