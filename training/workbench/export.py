"""Write a training's weights as the run that ships: a float16 checkpoint, its processor, run.json, and its bundle.

The bundle's graphs read the checkpoint's own weights; vi-infer convert makes it again where files were changed by hand.

python -m training.workbench.export --from runs/workbench --to src/vi/workbench/model
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch

from training.workbench import wire
from training.workbench.grids import CLIP_PIXELS, MERGE, PATCH, PIXELS
from training.workbench.network import Network
from vi.inference.bundle.convert import convert
from vi.inference.runs.files import RunFiles

TASKS = ("vqa", "phrase-grounding", "freeform", "video-freeform", "generic")
PROCESSOR = {
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2_5_VLProcessor",
    "patch_size": PATCH,
    "merge_size": MERGE,
    "temporal_patch_size": 2,
    "size": {"shortest_edge": PIXELS, "longest_edge": PIXELS},
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "resample": 3,
    "rescale_factor": 1 / 255,
}
CLIP_PROCESSOR = {
    **{name: value for name, value in PROCESSOR.items() if name != "image_processor_type"},
    "video_processor_type": "Qwen2VLVideoProcessor",
    "size": {"shortest_edge": CLIP_PIXELS, "longest_edge": CLIP_PIXELS},
}
RUN = {
    "flow": {
        "spec": {
            "task_type": "vqa",
            "supported_tasks": list(TASKS),
            "model": {"name": "workbench", "precision": "float16"},
            "system_prompts": dict.fromkeys(TASKS, wire.SYSTEM_PROMPT),
            "cot_suffix": "",
            "boxes": "resized-pixels",
            # coordinates repeat digits, and a penalty on those moves the boxes
            "generation_config": {"repetition_penalty": 1.0},
        }
    }
}


def export(source: Path, target: Path) -> None:
    """Replace ``target`` with the run made of the last checkpoint in ``source``."""
    net = Network()
    kept = torch.load(source / "checkpoint.pt", map_location="cpu", weights_only=True)["net"]
    own = {name: value for name, value in kept.items() if name.startswith("model.")}  # heads for training stay behind
    net.model.load_state_dict({name.removeprefix("model."): value for name, value in own.items()})
    target.mkdir(parents=True, exist_ok=True)
    net.model.half().save_pretrained(target)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(source / name, target / name)
    files = {"preprocessor_config.json": PROCESSOR, "video_preprocessor_config.json": CLIP_PROCESSOR, "run.json": RUN}
    for name, content in files.items():
        (target / name).write_text(json.dumps(content, indent=1) + "\n")
    convert(RunFiles(None, target, name="workbench"), target)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, default=Path("runs/workbench"))
    parser.add_argument("--to", dest="target", type=Path, default=Path("src/vi/workbench/model"))
    args = parser.parse_args()
    export(args.source, args.target)
