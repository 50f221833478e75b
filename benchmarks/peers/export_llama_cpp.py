"""Converts a checkpoint for llama.cpp, as it stands now, with llama.cpp's own converter.

    python benchmarks/peers/export_llama_cpp.py OUT --source llama.cpp --exporter export/bin/python [--model MODEL]

Writes ``model.gguf`` (language) and ``mmproj.gguf`` (vision) in bf16. Run by this package's environment;
``--exporter`` is the interpreter of one with torch, transformers 4 and sentencepiece, ``--source`` the source folder of
llama.cpp. Weights that were converted already are left, as by ``export_genai.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from checkpoints import write_old_form
from exports import export_parser, is_made_of, stamp

# The converter refuses tokenizers that it has not been told of; the embedded run's splits words as GPT-2's does. Where
# every layer of the vision tower looks at the whole picture, llama.cpp wants 0 for how often one does.
CONVERT = """
import convert_hf_to_gguf
from conversion.base import TextModel, gguf
TextModel.get_vocab_base_pre = lambda self, tokenizer: "gpt-2"
write = gguf.GGUFWriter.add_vision_n_wa_pattern
gguf.GGUFWriter.add_vision_n_wa_pattern = lambda self, every: write(self, 0 if every == 1 else every)
convert_hf_to_gguf.main()
"""


def export(model: Path, folder: Path, source: Path, exporter: Path) -> bool:
    """Whether ``folder`` had to be made."""
    if is_made_of(folder, model):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        old = Path(temporary) / "checkpoint"
        write_old_form(model, old)
        for name, options in (("model.gguf", []), ("mmproj.gguf", ["--mmproj"])):
            command = [exporter, "-c", CONVERT, old, "--outtype", "bf16", "--outfile", folder / name, *options]
            environment = {**os.environ, "PYTHONPATH": str(source)}
            subprocess.run(list(map(str, command)), check=True, env=environment)
    stamp(folder, model)
    return True


def main() -> None:
    parser = export_parser(__doc__)
    parser.add_argument("--source", type=Path, required=True, help="the source of llama.cpp")
    chosen = parser.parse_args()
    made = export(chosen.model, chosen.folder, chosen.source.resolve(), chosen.exporter.absolute())
    print(f"{chosen.folder}: {'converted' if made else 'up to date'}")


if __name__ == "__main__":
    main()
