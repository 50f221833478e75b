"""Answers drawn into files: where they go, decided and checked before any inference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vi.cli.faults import say
from vi.inference.errors import ConfigError

if TYPE_CHECKING:
    from PIL.Image import Image

    from vi.inference.media.sources import SourceItem
    from vi.inference.task_types.response import PredictionResponse


class Drawings:
    """The picture files of ``--save-image OUT``: OUT itself where its name ends like a picture's, else in folder OUT.

    Raises ConfigError where several sources would go into one file, a source would be overwritten, or the place cannot
    be made.
    """

    def __init__(self, out: Path, items: Sequence[SourceItem]) -> None:
        if not is_picture_name(out):
            self._paths = _paths_in(out, items)
        elif len(items) > 1:
            raise ConfigError(
                f"--save-image {out} is one picture for {len(items)} sources.",
                "With several sources it takes a folder, such as --save-image drawn/.",
            )
        else:
            self._paths = [out]
        for path, item in zip(self._paths, items, strict=True):
            if item.kind == "file" and path.resolve() == Path(item.value).resolve():
                raise ConfigError(f"--save-image {out} would overwrite the source {item.label}.", "Name another place.")
        make_folder(self._paths[0].parent)

    def draw(self, index: int, item: SourceItem, answer: PredictionResponse) -> None:
        """Draw the answer on its source, and say where. Raises ViError where it cannot be written or read again."""
        from vi.inference.utils.visualize import visualize_prediction

        path = self._paths[index]
        save(visualize_prediction(image_path=item.value, prediction=answer), path)
        say(f"Drawn: {path}")


def is_picture_name(path: Path) -> bool:
    """Whether the name ends like that of a picture that can be written."""
    from PIL import Image

    suffixes = Image.registered_extensions()
    return suffixes.get(path.suffix.lower()) in Image.SAVE


def make_folder(folder: Path) -> None:
    """Make ``folder`` where there is none. Raises ConfigError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder {folder} cannot be made ({error.strerror}).", "Name another place.") from None


def save(picture: Image, path: Path) -> None:
    """Write ``picture``. Raises ConfigError."""
    try:
        picture.save(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror or error}).", "Name another place.") from None


def _paths_in(folder: Path, items: Sequence[SourceItem]) -> list[Path]:
    """A PNG per source, named after it; names that are taken get a number."""
    taken: set[str] = set()
    paths = []
    for item in items:
        stem = Path(item.value).stem if item.kind == "file" else "picture"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        paths.append(folder / f"{name}.png")
    return paths
