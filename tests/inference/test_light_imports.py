"""A bundle runs where neither torch nor transformers is installed."""

from __future__ import annotations

import subprocess
import sys

BLOCKED = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "peft", "accelerate"):
            raise ModuleNotFoundError(f"{name} is not here", name=name)

sys.meta_path.insert(0, Blocked())
"""

IMPORTS = """
ROOMS = "preprocess structured sampling task_types media engine engine.runners.base loading runs bundle.layout"

for room in ROOMS.split():
    package = importlib.import_module(f"vi.inference.{room}")
    for module in pkgutil.iter_modules(getattr(package, "__path__", ()), f"vi.inference.{room}."):
        importlib.import_module(module.name)
for name in ("model", "answerer", "model_info"):
    importlib.import_module(f"vi.inference.{name}")
"""

PROMPT = """
import json
from PIL import Image
from vi.inference.loading.loaded import LoadedModel
from vi.inference.preprocess.chat import ChatPrompt
from vi.inference.preprocess.processors import read_pictures
from vi.inference.preprocess.tokenizer import ChatTokenizer
from vi.workbench import run_path

folder = run_path() / "model"
config = json.loads((folder / "config.json").read_text())
tokenizer, pictures = ChatTokenizer.read(folder), read_pictures(folder, {})
chat = ChatPrompt(LoadedModel(None, config["model_type"], config, tokenizer, pictures, (2,), (), 5, 8192, 1024))
prompt = chat.build("How many gears?", picture=Image.new("RGB", (320, 240)), system_prompt="Be brief.")
print(prompt.image_tokens, prompt.token_ids.count(5), prompt.positions.shape == (3, len(prompt.token_ids)))
"""


def run(code: str) -> str:
    process = subprocess.run([sys.executable, "-c", BLOCKED + code], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_every_room_but_the_torch_runners_imports_without_torch_and_transformers():
    assert run(IMPORTS + "print(sorted({'torch', 'transformers'} & set(sys.modules)))") == "[]\n"


def test_a_prompt_is_built_without_torch_and_transformers():
    places, counted, positions = run(PROMPT).split()
    assert places == counted != "0"
    assert positions == "True"
