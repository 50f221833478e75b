"""Where PyTorch is not installed, what needs it says so and how to get it."""

from __future__ import annotations

import pytest

from vi.inference import LoadError, ViModel
from vi.inference.loading import open as opening


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_a_torch_model_names_the_package_and_the_extra(monkeypatch, missing):
    found = opening.find_spec
    monkeypatch.setattr(opening, "find_spec", lambda name: None if name == missing else found(name))
    with pytest.raises(LoadError, match=rf"{missing} is not installed.*vi-inference\[torch\]"):
        ViModel(runner="torch")
