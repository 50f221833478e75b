"""A checkpoint to a bundle: the one place where OpenVINO needs torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from vi.inference.bundle.constants import StoredTensor, share_constants, stored_tensors
from vi.inference.bundle.convertible import TORCH_HINT, require_convertible, require_convertible_checkpoint
from vi.inference.bundle.layout import (
    LANGUAGE,
    TABLE,
    VISION,
    WORDS,
    Bundle,
    BundleFacts,
    TableFacts,
    Weights,
    read_bundle,
    write_manifest,
)
from vi.inference.bundle.publish import same_folder, work_folder
from vi.inference.errors import ConfigError, LoadError, did_you_mean
from vi.inference.progress import track
from vi.inference.runs.files import RunFiles
from vi.inference.runs.weights import find_weights

if TYPE_CHECKING:
    import openvino as ov

WEIGHTS: tuple[str, ...] = get_args(Weights)


def convert(files: RunFiles, target: Path, *, weights: str | None = None, show_progress: bool = False) -> Bundle:
    """Make ``target`` a bundle of the checkpoint ``files``, its adapter merged.

    weights: f32, f16, int8 or int4; f16 unless said, f32 where the checkpoint itself is in float32. ``target`` may be
    the checkpoint's own folder: the bundle then lies beside its files and reads the weights from them.
    Nothing is seen in ``target`` before all of it is done. Raises LoadError for an architecture that cannot be
    converted and for a target that holds something else, ConfigError for other weights.
    """
    if weights is not None and weights not in WEIGHTS:
        hint = f"It takes {', '.join(WEIGHTS)}. {did_you_mean(weights, WEIGHTS)}".strip()
        raise ConfigError(f"weights={weights!r} is not a way to store them.", hint)
    require_convertible_checkpoint(files.model_path)
    target = target.expanduser().absolute()
    in_place = same_folder(target, files.model_path)
    if in_place and files.adapter_path is not None:
        hint = "Choose another folder: the bundle's weights are the merged ones."
        raise LoadError(f"{target} is the base model of a run with an adapter.", hint)
    with work_folder(target, in_place) as work, _reported(files.model_path):
        conversion = _Conversion(files, work, in_place, weights)
        steps = (conversion.load, conversion.table, conversion.language, conversion.vision, conversion.manifest)
        for step in track(steps, len(steps), f"Converting {files.name or files.model_path.name}", show_progress):
            step()
    return read_bundle(target)


class _Conversion:
    """The steps of one conversion, in their order; each writes its files into ``work``."""

    def __init__(self, files: RunFiles, work: Path, in_place: bool, weights: str | None) -> None:
        self.files, self.work, self.in_place = files, work, in_place
        found = find_weights(files.model_path)
        stored = {entry["dtype"] for entry in found.tensors().values()}
        self.weights: Any = weights or ("f32" if stored == {"F32"} else "f16")
        # What the graphs may read from other files: in place the checkpoint's tensors, elsewhere the embedding table.
        self.shared = [tensor for path in found.safetensors for tensor in stored_tensors(path)] if in_place else []
        self.used: set[str] = set()

    def load(self) -> None:
        from vi.inference.bundle.families import FAMILIES, language_shape
        from vi.inference.loading.loaded import TorchWeights
        from vi.inference.loading.loader import load

        self.loaded = load(self.files, device="cpu", dtype="float32", attn_implementation="sdpa")
        assert isinstance(self.loaded.weights, TorchWeights)
        self.model = self.loaded.weights.model
        require_convertible(self.loaded.config)
        self.family = FAMILIES[self.loaded.family]
        self.shape = language_shape(self.model.config, self.family.axes)

    def table(self) -> None:
        dtype: Literal["float32", "float16"] = "float32" if self.weights == "f32" else "float16"
        rows = self.model.get_input_embeddings().weight.numpy().astype(dtype)
        tensor = next((tensor for tensor in self.shared if tensor.holds(rows)), None)
        if tensor is None:
            rows.tofile(self.work / TABLE)
            tensor = StoredTensor(self.work / TABLE, 0, rows.nbytes)
            self.shared.append(tensor)
        self.used.add(tensor.path.name)
        num_rows, width = rows.shape
        self.table_facts = TableFacts(
            file=tensor.path.name, offset=tensor.offset, dtype=dtype, rows=num_rows, columns=width
        )

    def language(self) -> None:
        from vi.inference.bundle.families import language_model
        from vi.inference.bundle.language_graph import language_graph

        head = self.model.get_output_embeddings()
        self._save(language_graph(language_model(self.model), head, self.shape), LANGUAGE)

    def vision(self) -> None:
        from vi.inference.bundle.vision_graph import vision_graph

        self._save(vision_graph(self.family.vision(self.model.model)), VISION)

    def _save(self, graph: ov.Model, name: str) -> None:
        import openvino as ov

        from vi.inference.bundle.compression import compress

        graph = compress(graph, self.weights)
        self.used |= share_constants(graph, self.shared)
        ov.save_model(graph, self.work / name, compress_to_fp16=False)

    def manifest(self) -> None:
        source = self.files.model_path
        words = [name for name in WORDS if (source / name).is_file()]
        if not self.in_place:
            for name in words:
                shutil.copyfile(source / name, self.work / name)
        graphs = [path.name for path in self.work.iterdir()]
        folders = {name: source if self.in_place and name not in graphs else self.work for name in {*words, *graphs}}
        folders |= {name: source for name in self.used if name not in graphs}
        write_manifest(self.work, self._facts(), [folder / name for name, folder in folders.items()])

    def _facts(self) -> BundleFacts:
        return BundleFacts(
            family=self.loaded.family,
            weights=self.weights,
            num_layers=self.shape.num_layers,
            num_kv_heads=self.shape.num_kv_heads,
            head_dim=self.shape.head_dim,
            hidden_size=self.shape.hidden_size,
            vocab_size=self.loaded.vocab_size,
            axes=self.shape.axes,
            deepstack=self.shape.deepstack,
            eos_token_ids=self.loaded.eos_token_ids,
            media_token_ids=self.loaded.media_token_ids,
            placeholder_id=self.loaded.placeholder_id,
            context_length=self.loaded.context_length,
            table=self.table_facts,
            vision=self.family.facts(self.model.config),
        )


@contextmanager
def _reported(folder: Path) -> Iterator[None]:
    """What torch or OpenVINO raise for a model they cannot trace or convert, as a LoadError."""
    try:
        yield
    except (LoadError, MemoryError, OSError):
        raise
    except ImportError as error:
        hint = "Install them: pip install 'vi-inference[torch]'."
        raise LoadError(f"Converting needs torch and transformers ({error}).", hint) from error
    except Exception as error:  # tracing runs the model's own code, which may raise anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LoadError(f"{folder} cannot be converted ({reason}).", TORCH_HINT) from error
