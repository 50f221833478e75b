"""What a row of the output answers: which source, what was in it, what was asked of it, and of which model."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from vi.inference.errors import SourceError
from vi.inference.generation_config import GenerationConfig
from vi.inference.media.opening import open_file
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import SourceItem
from vi.inference.media.tensors import is_tensor, to_array

_DIGITS = 12  # hexadecimal, a part; a changed part goes unnoticed once in 2^48
_CHUNK = 1 << 20  # bytes
_WHOLE = 64 * _CHUNK  # a larger file of a model is known by as many bytes, in pieces from all over it


class Key(NamedTuple):
    """Five hashes. Written ``source.content.ask.call.model``, each of 12 hexadecimal digits.

    source: which one (path, address or data, and the row's id). content: a file's bytes; of anything else nothing
    that ``source`` does not say. ask: what the row itself asks (prompt, task, settings). call: what is asked of every
    row. model: the files of the model.
    """

    source: str
    content: str
    ask: str
    call: str
    model: str

    def __str__(self) -> str:
        return ".".join(self)

    @classmethod
    def parse(cls, text: Any) -> Key | None:
        """The key that ``text`` is, None where it is none."""
        parts = text.split(".") if isinstance(text, str) else []
        is_key = len(parts) == len(cls._fields) and all(len(part) == _DIGITS for part in parts)
        return cls(*parts) if is_key else None


def source_part(item: SourceItem, row_id: Any) -> str:
    """Which source it is: of a file its path as it was given, of data the data; an open file is known by its name."""
    value = item.value
    if item.kind == "image":
        data: Any = (value.mode, value.size, hashlib.blake2b(value.tobytes()).hexdigest())
    elif item.kind == "array":
        array = to_array(value, item.label) if is_tensor(value) else value
        data = (str(array.dtype), array.shape, hashlib.blake2b(array.tobytes()).hexdigest())
    elif item.kind == "bytes":
        data = hashlib.blake2b(value).hexdigest()
    elif item.kind == "file":
        data = os.path.normpath(value)
    elif item.kind == "pictures":
        data = [source_part(one, None) for one in value]
    elif item.kind == "clip":
        data = (value.timestamps, [hashlib.blake2b(frame.tobytes()).hexdigest() for frame in value.frames])
    else:
        data = value if isinstance(value, str) else item.label
    return _digest([item.kind, data, row_id])


def content_part(item: SourceItem, policy: MediaPolicy) -> str:
    """What is in a file, or in each of several, all of it read; one that cannot be read has a content of its own."""
    if item.kind == "pictures":
        return _digest([content_part(one, policy) for one in item.value])
    if item.kind != "file":
        return _digest(None)
    try:
        with open_file(item.value, item.label, policy) as file:
            return _content(file).hexdigest()[:_DIGITS]
    except (OSError, SourceError):
        return _digest("unreadable")


def ask_part(prompt: Any, task: Any, generation_config: Any, **more: Any) -> str:
    """What is asked: prompt, task and the settings that were given; ``more`` is the call's own."""
    return _digest([prompt, task, _settings(generation_config), more])


def model_part(*folders: Path | None, generation_config: Any = None) -> str:
    """The model in these folders: every file in them but READMEs, names and content.

    generation_config: what the model was made with, as its own defaults.

    Of a file larger than 64 MiB the size and 64 pieces of 1 MiB from all over it stand for the rest.
    """
    files = [path for folder in folders if folder for path in sorted(folder.iterdir()) if _tells(path)]
    digests = []
    for path in files:
        with path.open("rb") as file:
            digests.append((path.name, path.stat().st_size, _content(file, _WHOLE).hexdigest()))
    return _digest([digests, _settings(generation_config)])


def _tells(path: Path) -> bool:
    return path.is_file() and path.suffix != ".md" and not path.name.startswith(".")


def _content(file: BinaryIO, most: int | None = None) -> hashlib.blake2b:
    """The digest of the whole file, or of pieces of it that are ``most`` bytes together."""
    digest = hashlib.blake2b()
    for start in _starts(file.seek(0, os.SEEK_END), most):
        file.seek(start)
        digest.update(file.read(_CHUNK))
    return digest


def _starts(size: int, most: int | None) -> Iterable[int]:
    if most is None or size <= most:
        return range(0, size, _CHUNK)
    pieces = most // _CHUNK
    return [index * (size - _CHUNK) // (pieces - 1) for index in range(pieces)]


def _settings(generation_config: Any) -> Any:
    if not isinstance(generation_config, GenerationConfig):
        return generation_config
    return {name: getattr(generation_config, name) for name in generation_config.model_fields_set}


def _digest(value: Any) -> str:
    text = json.dumps(value, default=str, sort_keys=True)
    return hashlib.blake2b(text.encode(errors="backslashreplace")).hexdigest()[:_DIGITS]
