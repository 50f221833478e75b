"""A bundle's folder without a model in it, for what is read before any graph is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vi.inference.bundle.layout import BundleFacts, TableFacts, VisionFacts, write_manifest

FACTS = BundleFacts(
    family="qwen2_5_vl",
    weights="f16",
    num_layers=2,
    num_kv_heads=2,
    head_dim=16,
    hidden_size=4,
    vocab_size=3,
    axes=3,
    eos_token_ids=(2,),
    media_token_ids=(1,),
    placeholder_id=1,
    context_length=2048,
    table=TableFacts(file="embedding.bin", offset=8, dtype="float16", rows=3, columns=4),
    vision=VisionFacts(kind="patches", merge=2),
)
TABLE = np.arange(12, dtype=np.float16).reshape(3, 4)


def write_small_bundle(folder: Path) -> Path:
    folder.mkdir()
    (folder / "embedding.bin").write_bytes(bytes(8) + TABLE.tobytes())
    for name in ("language.xml", "language.bin", "vision.xml", "vision.bin", "config.json"):
        (folder / name).write_text(name)
    write_manifest(folder, FACTS, list(folder.iterdir()))
    return folder
