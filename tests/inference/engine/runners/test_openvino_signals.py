"""Signals reach the process after a model is gone: the plugin's signal stack stays mapped."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

SCRIPT = """
import gc, os, signal
from vi.inference import ViModel
from vi.workbench import sample
for _ in range(2):
    with ViModel() as model:
        answer, error = model(sample("wood.jpg"), "How many parts are there?", {"max_new_tokens": 40})
        assert error is None
    del model
    gc.collect()
try:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(not hasattr(signal, "pause"), reason="sends itself a POSIX signal")
def test_ctrl_c_after_models_were_closed_is_an_interrupt_and_no_crash():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "interrupted"), done.stderr
