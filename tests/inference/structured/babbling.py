"""Ask models for answers of every form, at every budget and temperature, and judge each; interrupted, it goes on.

python -m tests.inference.structured.babbling OUT.jsonl [--count 20000]

Prints what is not sound, and at the end a table. The embedded run says what it sees; the others, of three families
with random weights, babble, which is harder on a grammar.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from tests.families import TINY
from tests.inference.asking import picture
from tests.inference.structured.forms import Form, forms

from vi.inference import ViModel
from vi.inference.media.sources import expand
from vi.inference.media.tables import Row
from vi.workbench import sample

RUNS = ("workbench", "qwen2_vl", "internvl", "gemma3")
MOST_TOKENS = 64
TEMPERATURES = (0.0, 0.2, 0.5, 0.8, 1.0, 1.3, 1.6, 2.0)
PROMPT = "What do you see?"
ENGINE = {"precision": "fast", "max_batch": 64}


@dataclass(frozen=True)
class Part:
    """Answers of one form by one model."""

    run: str
    form: str
    cot: bool

    @property
    def name(self) -> str:
        return f"{self.run}, {self.form}{', thinking' if self.cot else ''}"


@dataclass(frozen=True)
class Verdict:
    """One generation: its settings, and what is wrong with it, an empty text where nothing is."""

    part: str
    settings: dict[str, Any]
    tokens: int
    finish_reason: str
    squeezed: bool
    wrong: str
    text: str = ""


def parts(runs: Sequence[str] = RUNS) -> list[Part]:
    """Every form, with and without a thought before it, by every model."""
    return [Part(run, form, cot) for run in runs for form in forms() for cot in (False, True)]


@contextlib.contextmanager
def opened(run: str) -> Iterator[ViModel]:
    """The embedded run, or a checkpoint of random weights of that architecture."""
    with contextlib.ExitStack() as stack:
        where = {}
        if run != "workbench":
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            where = {"pretrained_model_name_or_path": TINY[run](folder / run)}
        yield stack.enter_context(ViModel(**where, device="cpu", engine=ENGINE, show_progress=False))


def judged(model: ViModel, part: Part, count: int) -> Iterator[Verdict]:
    """``count`` answers, each with settings of its own, which follow from the part's name alone."""
    form = forms()[part.form]
    options = {**form.options, "cot": part.cot}
    least = fewest_tokens(model, options)
    drawn = [settings_at(crc32(part.name.encode()), number, least) for number in range(count)]
    item = expand(shown(part.run)).items[0]
    rows = (Row(number, item, generation_config=settings) for number, settings in enumerate(drawn))
    for row, answer, error in model.iter(rows, PROMPT, **options):
        settings = dict(row.generation_config)
        if error is not None:
            yield Verdict(part.name, settings, 0, "", False, f"{type(error).__name__}: {error}")
            continue
        wrong = fault(form, answer, part.cot, settings["max_new_tokens"])
        tokens = answer.usage.completion_tokens
        text = answer.raw_output if wrong else ""
        yield Verdict(part.name, settings, tokens, answer.finish_reason, answer.truncated, wrong, text)


def shown(run: str) -> Any:
    """The picture: a workbench for the run that knows such, for the others noise."""
    return sample("bolts") if run == "workbench" else picture()


def fewest_tokens(model: ViModel, options: dict[str, Any]) -> int:
    """The least ``max_new_tokens`` that an answer of the form takes, as the error about one that is too small says."""
    _, error = model(picture(), PROMPT, {"max_new_tokens": 1}, **options)
    if error is None:
        return 1
    found = re.search(r"at least (\d+) tokens", error.message)
    if found is None:
        raise error
    return int(found[1])


def settings_at(key: int, number: int, least: int) -> dict[str, Any]:
    """Settings of one generation: half of the budgets are within a few tokens of the least, the rest up to the most."""
    rng = np.random.default_rng((key, number))
    most = max(MOST_TOKENS, least + 16)
    budget = least + int(rng.integers(0, 8)) if rng.random() < 0.5 else int(rng.integers(least, most + 1))
    temperature = float(rng.choice(TEMPERATURES))
    return {
        "max_new_tokens": min(budget, most),
        "do_sample": temperature > 0,
        "temperature": temperature,
        "top_k": None if rng.random() < 0.5 else int(rng.integers(1, 101)),
        "top_p": 1.0 if rng.random() < 0.5 else float(rng.uniform(0.1, 1.0)),
        "repetition_penalty": 1.0 if rng.random() < 0.5 else float(rng.uniform(1.0, 2.0)),
        "seed": int(rng.integers(0, 1 << 31)),
    }


def fault(form: Form, answer: Any, cot: bool, budget: int) -> str:
    """What is wrong with an answer; an empty text where nothing is."""
    text = answer.raw_output
    if cot:
        framed = re.fullmatch(r"<think>.*?</think><answer>(.*)</answer>", text, re.DOTALL)
        if framed is None:
            return "no thought and answer"
        text = framed[1]
    try:
        form.judge(text)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if "response_format" in form.options and answer.parsed is None and text != "null":
        return "nothing was parsed"
    if answer.usage.completion_tokens > budget:
        return f"{answer.usage.completion_tokens} tokens, of {budget}"
    if answer.finish_reason not in ("stop", "length"):
        return f"finish_reason {answer.finish_reason}"
    return ""


def continued(out: Path, per_part: int, tell: Callable[[str], None]) -> list[Verdict]:
    """Every verdict of every part; those that ``out`` has are read from there, the others asked for and appended."""
    known: dict[str, list[Verdict]] = {}
    for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else ():
        verdict = Verdict(**json.loads(line))
        known.setdefault(verdict.part, []).append(verdict)
    for run in RUNS:
        open_parts = [part for part in parts([run]) if len(known.get(part.name, ())) < per_part]
        if not open_parts:
            continue
        with opened(run) as model:
            for part in open_parts:
                found = known[part.name] = list(judged(model, part, per_part))
                with out.open("a", encoding="utf-8") as file:  # a part is there as a whole or not at all
                    file.writelines(json.dumps(asdict(verdict)) + "\n" for verdict in found)
                tell(f"{part.name}: {len(found)}, {sum(bool(verdict.wrong) for verdict in found)} wrong")
    return [verdict for each in known.values() for verdict in each]


def table(verdicts: Sequence[Verdict]) -> str:
    """A row a model: how many generations, tokens, how many the budget decided, how many are wrong."""
    rows = ["| Model | Answers | Tokens | Ended by the budget | Not sound |", "| --- | ---: | ---: | ---: | ---: |"]
    for run in (*RUNS, ""):
        of_run = [verdict for verdict in verdicts if verdict.part.startswith(run)]
        figures = (
            len(of_run),
            sum(verdict.tokens for verdict in of_run),
            sum(verdict.squeezed for verdict in of_run),
            sum(bool(verdict.wrong) for verdict in of_run),
        )
        rows.append(f"| {run or 'all'} | {' | '.join(f'{figure:,}' for figure in figures)} |")
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="where verdicts are kept; parts that it has are not asked again")
    parser.add_argument("--count", type=int, default=20_000, help="generations altogether, at least")
    args = parser.parse_args()
    per_part = -(-args.count // len(parts()))
    verdicts = continued(args.out, per_part, lambda line: print(line, flush=True))
    for wrong, count in Counter(f"{each.part}: {each.wrong}" for each in verdicts if each.wrong).most_common():
        print(f"{count} times {wrong}")
    print(table(verdicts))
    raise SystemExit(any(verdict.wrong for verdict in verdicts))


if __name__ == "__main__":
    main()
