"""Writes the checkpoints that the benchmarks need besides the embedded run.

    python benchmarks/checkpoints.py large FOLDER       a Qwen2.5-VL of 150 million random weights
    python benchmarks/checkpoints.py old-form MODEL OUT MODEL for transformers 4: as OpenVINO's exporter takes it

Both need the extra ``torch``. The large one speaks with the embedded run's tokenizer, so one request has about as many
tokens in all workloads; its weights are the same on every run.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from workloads import EMBEDDED

WORDS = ("tokenizer.json", "tokenizer_config.json", "generation_config.json")
TEXT = {
    "hidden_size": 768,
    "intermediate_size": 2560,
    "num_hidden_layers": 16,
    "num_attention_heads": 12,
    "num_key_value_heads": 4,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [8, 12, 12]},
}
VISION = {
    "depth": 8,
    "hidden_size": 512,
    "intermediate_size": 1536,
    "num_heads": 8,
    "out_hidden_size": 768,
    "patch_size": 14,
    "window_size": 112,
    "fullatt_block_indexes": [3, 7],
}


def write_large(folder: Path) -> Path:
    """A checkpoint of 150M parameters, float16, in ``folder``. One that is there already is left."""
    if (folder / "model.safetensors").is_file():
        return folder
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    folder.mkdir(parents=True, exist_ok=True)
    known = json.loads((EMBEDDED / "config.json").read_text(encoding="utf-8"))
    text = {**known["text_config"], **TEXT}
    text.pop("layer_types")
    vision = {**known["vision_config"], **VISION}
    config = Qwen2_5_VLConfig(**{**known, "text_config": text, "vision_config": vision})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Qwen2_5_VLForConditionalGeneration(config).to(torch.float16)
    print(f"{sum(weight.numel() for weight in model.parameters()):,} parameters")
    model.save_pretrained(folder)
    for name in WORDS:
        shutil.copy(EMBEDDED / name, folder)
    pixels = json.loads((EMBEDDED / "preprocessor_config.json").read_text(encoding="utf-8"))
    _write(folder / "preprocessor_config.json", {**pixels, "patch_size": VISION["patch_size"]})
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
    large = which.add_parser("large", help="150M random weights")
    large.add_argument("folder", type=Path)
    old = which.add_parser("old-form", help="for transformers 4")
    old.add_argument("model", type=Path)
    old.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    if chosen.which == "large":
        write_large(chosen.folder)
    else:
        write_old_form(chosen.model, chosen.folder)


if __name__ == "__main__":
    main()
