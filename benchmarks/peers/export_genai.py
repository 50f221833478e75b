"""Exports a checkpoint for OpenVINO GenAI, as it stands now.

    python benchmarks/peers/export_genai.py OUT --exporter export/bin/python [--model MODEL]

Run by this package's environment; ``--exporter`` is the interpreter of one with optimum-intel and transformers 4, see
benchmarks/README.md. The folder says which weights it was made from (``weights.sha256``), and is left as it is where
they are still the same, so that the command may stand before every measurement.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from checkpoints import write_old_form
from exports import export_parser, is_made_of, stamp


def export(model: Path, folder: Path, exporter: Path) -> bool:
    """Whether ``folder`` had to be made: GenAI's graphs of ``model`` with float16 weights."""
    if is_made_of(folder, model):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        old = Path(temporary) / "checkpoint"
        write_old_form(model, old)
        options = ["--task", "image-text-to-text", "--weight-format", "fp16"]
        command = [exporter.parent / "optimum-cli", "export", "openvino", "--model", old, *options, folder]
        subprocess.run(list(map(str, command)), check=True)
    stamp(folder, model)
    return True


def main() -> None:
    chosen = export_parser(__doc__).parse_args()
    made = export(chosen.model, chosen.folder, chosen.exporter.absolute())
    print(f"{chosen.folder}: {'exported' if made else 'up to date'}")


if __name__ == "__main__":
    main()
