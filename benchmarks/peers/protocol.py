"""How an engine under measurement is spoken to: a job as JSON, then a line for every round, answered with its timings.

An adapter is run as ``PYTHON adapter.py JOB.json`` by its engine's own interpreter and needs nothing but that engine
and this file. It loads the model, says so, and then answers each number of a round on standard input with one line of
JSON. Whatever the engine prints goes to standard error.

A job: ``model`` (a folder), ``system``, ``schema`` (None is free text), ``max_new_tokens``, ``forced`` (no token ends
an answer), ``precision`` (``f32`` or ``bf16``), ``device`` (where it is no CPU), ``threads`` (None is all cores),
``batch`` (requests at once where the engine has to be told), ``stream``, ``one_by_one``, ``engine`` (settings of this
package's engine), and ``rounds``, each a list of requests: ``picture`` (a path), ``prompt``, and ``rendered`` (the
whole conversation as the chat template spells it, with the tag of the picture once).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Round = Callable[[Sequence[dict[str, Any]]], dict[str, Any]]


def serve(load: Callable[[dict[str, Any]], Round]) -> None:
    """Load the model of the job that the command line names, and run its rounds as they are asked for.

    A round returns ``tokens`` (generated, a number for each request), ``texts``, and what else it knows:
    ``prompt_tokens`` and, of a stream, ``first`` (seconds to the first token). Seconds are counted here: pictures are
    decoded within them, the model is loaded without.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    started = time.perf_counter()
    run = load(job)
    _say(answers, {"load": time.perf_counter() - started})
    for line in sys.stdin:
        requests = job["rounds"][int(line)]
        started = time.perf_counter()
        outcome = run(requests)
        _say(answers, {"seconds": time.perf_counter() - started, **outcome})


def _say(answers: Any, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()
