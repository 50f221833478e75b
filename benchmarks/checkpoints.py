"""Writes the checkpoints that the benchmarks need besides the embedded run.

    python benchmarks/checkpoints.py large FOLDER       a Qwen2.5-VL of 150 million random weights
    python benchmarks/checkpoints.py 3b FOLDER          one of Qwen2.5-VL-3B's own shape, for GPUs
    python benchmarks/checkpoints.py tiny FOLDER        one to try a benchmark with
    python benchmarks/checkpoints.py old-form MODEL OUT MODEL for transformers 4: as OpenVINO's exporter takes it

They need the extra ``torch``. Random ones speak with the embedded run's tokenizer, so one request has about as many
tokens in all workloads; their weights are the same on every run.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workloads import EMBEDDED

WORDS = ("tokenizer.json", "tokenizer_config.json", "generation_config.json")


@dataclass(frozen=True)
class Shape:
    """What config.json has in place of the embedded run's own, and the format of the weights."""

    text: dict[str, Any]
    vision: dict[str, Any]
    dtype: str = "float16"


def _rope(theta: float, *sections: int) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, "mrope_section": list(sections)}}


def _text(layers: int, hidden: int, inner: int, heads: int, kv_heads: int, **more: Any) -> dict[str, Any]:
    sizes = {"num_hidden_layers": layers, "hidden_size": hidden, "intermediate_size": inner}
    return {**sizes, "num_attention_heads": heads, "num_key_value_heads": kv_heads, **more}


def _vision(depth: int, hidden: int, inner: int, heads: int, out: int, whole: list[int]) -> dict[str, Any]:
    sizes = {"depth": depth, "hidden_size": hidden, "intermediate_size": inner, "num_heads": heads}
    return {**sizes, "out_hidden_size": out, "patch_size": 14, "window_size": 112, "fullatt_block_indexes": whole}


SHAPES = {
    "large": Shape(_text(16, 768, 2560, 12, 4, **_rope(1e4, 8, 12, 12)), _vision(8, 512, 1536, 8, 768, [3, 7])),
    "3b": Shape(
        _text(36, 2048, 11008, 16, 2, vocab_size=151936, **_rope(1e6, 16, 24, 24)),
        _vision(32, 1280, 3420, 16, 2048, [7, 15, 23, 31]),
        "bfloat16",
    ),
    "tiny": Shape(_text(2, 64, 128, 4, 2, **_rope(1e4, 2, 3, 3)), _vision(2, 32, 64, 2, 64, [1])),
}


def write_large(folder: Path) -> Path:
    """A checkpoint of 150M parameters, float16, in ``folder``. One that is there already is left."""
    return write_random(folder, SHAPES["large"])


def write_random(folder: Path, shape: Shape) -> Path:
    """A checkpoint of random weights, the same on every run. One that is there already is left."""
    if any(folder.glob("model*.safetensors")):
        return folder
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    folder.mkdir(parents=True, exist_ok=True)
    known = json.loads((EMBEDDED / "config.json").read_text(encoding="utf-8"))
    text = {**known["text_config"], **shape.text}
    text.pop("layer_types")
    vision = {**known["vision_config"], **shape.vision}
    config = Qwen2_5_VLConfig(**{**known, "text_config": text, "vision_config": vision})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Qwen2_5_VLForConditionalGeneration(config).to(getattr(torch, shape.dtype))
    print(f"{sum(weight.numel() for weight in model.parameters()):,} parameters")
    model.save_pretrained(folder, max_shard_size="100GB")
    for name in WORDS:
        shutil.copy(EMBEDDED / name, folder)
    pixels = json.loads((EMBEDDED / "preprocessor_config.json").read_text(encoding="utf-8"))
    _write(folder / "preprocessor_config.json", {**pixels, "patch_size": shape.vision["patch_size"]})
    return folder


def write_old_form(model: Path, folder: Path) -> None:
    """The same checkpoint with its configuration as transformers 4 wrote it: rotary embeddings in two keys."""
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("*.xml", "*.bin", "bundle.json", "run.json"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text = config["text_config"]
    rope = text.pop("rope_parameters")
    text["rope_theta"] = rope["rope_theta"]
    text["rope_scaling"] = {"type": "mrope", "rope_type": "default", "mrope_section": rope["mrope_section"]}
    text["torch_dtype"] = config["torch_dtype"] = config.pop("dtype")
    text.pop("dtype", None)
    config["vision_config"].pop("rope_parameters", None)
    for name in ("rope_theta", "rope_scaling"):  # transformers 4 lets the outer ones win
        config[name] = text[name]
    _write(folder / "config.json", config)
    pixels = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
    pixels.update(min_pixels=pixels["size"]["shortest_edge"], max_pixels=pixels["size"]["longest_edge"])
    _write(folder / "preprocessor_config.json", pixels)


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_subparsers(dest="which", required=True)
    for name in SHAPES:
        which.add_parser(name, help="random weights").add_argument("folder", type=Path)
    old = which.add_parser("old-form", help="for transformers 4")
    old.add_argument("model", type=Path)
    old.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    if chosen.which in SHAPES:
        write_random(chosen.folder, SHAPES[chosen.which])
    else:
        write_old_form(chosen.model, chosen.folder)


if __name__ == "__main__":
    main()
