from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vi.inference
from vi.inference import errors


def imported_for_editors() -> dict[str, str]:
    """Name -> module, of the imports under TYPE_CHECKING."""
    tree = ast.parse(Path(vi.inference.__file__).read_text("utf-8"))
    (guard,) = (node for node in tree.body if isinstance(node, ast.If))
    return {alias.name: node.module for node in guard.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_editors_and_programs_see_the_same_names():
    assert sorted(imported_for_editors()) == vi.inference.__all__
    assert set(vi.inference.__all__) <= set(dir(vi.inference))


@pytest.mark.parametrize("name", vi.inference.__all__)
def test_every_public_name_is_where_editors_are_told(name):
    module = imported_for_editors()[name]
    assert getattr(vi.inference, name).__name__ == name
    assert getattr(vi.inference, name).__module__.startswith(module)


def test_every_error_is_public():
    own = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert own <= set(vi.inference.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Vimodel"):
        vi.inference.Vimodel  # noqa: B018


def test_configuring_imports_neither_torch_nor_numpy_nor_transformers():
    code = (
        "import sys; from vi.inference import GenerationConfig, ConfigError; "
        "GenerationConfig.preset('detailed', seed=7); "
        "print([m for m in ('torch', 'transformers', 'numpy', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
