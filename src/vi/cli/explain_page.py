"""One page, which needs nothing but itself, that shows how every token of some answers was chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from vi.cli.choices import Choice, choices, others, probability, shown
from vi.inference.completion import TokenAlternative
from vi.inference.errors import ConfigError
from vi.inference.generation_config import Setting
from vi.inference.task_types.response import PredictionResponse

COLUMN = 16  # pixels a token in the picture
BARS = 120  # pixels of its bars' height
LANE = 14  # pixels
LANES = (("grammar", "grammar"), ("top_k", "top-k"), ("top_p", "top-p"))
LABELS = 62  # pixels at the left
SETTINGS = ("do_sample", "temperature", "top_k", "top_p", "repetition_penalty", "seed", "max_new_tokens")


def write_page(path: Path, answers: Sequence[tuple[str, PredictionResponse]]) -> None:
    """Write the page; answers: the source's name and the answer, which has log-probabilities.

    Raises ConfigError where one has none, and where the page cannot be written.
    """
    page = Template((files(__package__) / "explain_page.html").read_text(encoding="utf-8")).substitute(
        answers="".join(_answer(number, name, answer) for number, (name, answer) in enumerate(answers))
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", "Choose another place.") from error


def _answer(number: int, name: str, answer: PredictionResponse) -> str:
    chosen = choices(answer)
    settings = [_setting(key, answer.generation[key]) for key in SETTINGS if key in answer.generation]
    return (
        f"<section><h2>{escape(name)}</h2><p class=ask>{escape(answer.prompt)}</p><p class=result>"
        f"{escape(str(answer))}</p><dl>{''.join(settings)}</dl><h3>At a glance</h3>{_summary(chosen)}"
        f"<div class=scroll>{_picture(number, chosen)}</div><h3>Token by token</h3><ol class=tokens>"
        f"{''.join(_token(number, place, choice) for place, choice in enumerate(chosen))}</ol></section>"
    )


def _setting(name: str, setting: Setting) -> str:
    value, origin = escape(str(setting.value)), escape(setting.origin)
    return f"<div><dt>{name}</dt><dd>{value} <small>{origin}</small></dd></div>"


def _summary(chosen: Sequence[Choice]) -> str:
    """In words: how many tokens each thing decided."""
    counts = {
        "left to the grammar alone": sum(c.by == "grammar" for c in chosen),
        "where the grammar ruled out the model's favourite": sum(c.by == "restricted" for c in chosen),
        "where the draw took a less likely one": sum(c.by == "draw" for c in chosen),
        "where top-p took candidates away": sum(c.removed["top_p"] > 0 for c in chosen),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"<p>{len(chosen)} tokens{': ' if told else '.'}{told}{'.' if told else ''}</p>"


def _picture(number: int, chosen: Sequence[Choice]) -> str:
    """A column a token: bars of its probability before and after, and below how much each filter took away."""
    width, height = LABELS + COLUMN * len(chosen) + 4, BARS + LANE * (len(LANES) + 1) + 10
    label = "Probability of each token before and after the filters, and what the filters removed"
    parts = [f'<svg role=img aria-label="{label}" width="{width}" height="{height}">']
    parts += [f'<text x="{LABELS - 6}" y="{y}" text-anchor=end>{text}</text>' for text, y in _labels()]
    parts += [f'<line x1="{LABELS}" x2="{width}" y1="{y}" y2="{y}"/>' for y in (4, 4 + BARS / 2, 4 + BARS)]
    parts += [_column(number, place, choice) for place, choice in enumerate(chosen)]
    return "".join([*parts, "</svg>"])


def _labels() -> list[tuple[str, float]]:
    lanes = [*(text for _, text in LANES), "draw"]
    return [("100 %", 9), ("50 %", 8 + BARS / 2), *((text, BARS + 20 + LANE * i) for i, text in enumerate(lanes))]


def _column(number: int, place: int, choice: Choice) -> str:
    x = LABELS + COLUMN * place
    before, after = BARS * choice.before, BARS * (choice.before if choice.after is None else choice.after)
    marks = [
        f"<title>{escape(_told(choice))}</title>",
        f'<rect class=column x="{x}" y="4" width="{COLUMN}" height="{BARS + LANE * (len(LANES) + 1) + 4}"/>',
        f'<rect class="after {choice.by}" x="{x + 2}" y="{4 + BARS - after:.1f}" width="12" height="{after:.1f}"/>',
        f'<rect class=before x="{x + 5}" y="{4 + BARS - before:.1f}" width="6" height="{before:.1f}"/>',
    ]
    for lane, (key, _) in enumerate(LANES):
        share = _share_removed(choice, key)
        if share:
            y = BARS + 10 + LANE * lane
            marks.append(f'<rect class=lane x="{x + 2}" y="{y}" width="12" height="11" opacity="{share:.2f}"/>')
    if choice.by == "draw":
        y = BARS + 10 + LANE * len(LANES)
        marks.append(f'<rect class="after draw" x="{x + 2}" y="{y}" width="12" height="11"/>')
    return f'<a href="#t{number}-{place}">{"".join(marks)}</a>'


def _share_removed(choice: Choice, key: str) -> float:
    """How much a filter narrowed the choice, 0 to 1: by the logarithm of how many were left."""
    left = choice.token.survivors
    if left is None or not choice.removed[key]:
        return 0.0
    had = {"grammar": left.vocabulary, "top_k": left.grammar, "top_p": left.top_k}[key]
    return max(0.25, math.log(had / max(had - choice.removed[key], 1)) / math.log(left.vocabulary))


def _token(number: int, place: int, choice: Choice) -> str:
    left = choice.token.survivors
    survivors = (
        ""
        if left is None
        else "<span class=left>"
        + " → ".join(f"<b>{count:,}</b> {name}" for name, count in left.model_dump().items())
        + "</span>"
    ).replace("top_", "top-")
    rows = _bar(choice.token, choice.after, "chosen") + "".join(
        _bar(each, each.probability, "removed" if each.probability == 0 else "") for each in others(choice.token)
    )
    return (
        f'<li id="t{number}-{place}" class="{choice.by}"><h4><code>{escape(shown(choice.token.text))}</code>'
        f" <em>{_reason(choice)}</em></h4>{survivors}<table>{'' if choice.token.forced else rows}</table></li>"
    )


def _bar(token: TokenAlternative, after: float | None, kind: str) -> str:
    before = probability(token)
    bars = f'<i class=before style="width:{100 * before:.2f}%"></i>'
    bars += "" if after is None else f'<i class=after style="width:{100 * after:.2f}%"></i>'
    figures = f"{before:.3f}" + ("" if after is None else f" → {after:.3f}")
    return (
        f'<tr class="{kind}"><th scope=row><code>{escape(shown(token.text))}</code></th>'
        f"<td class=bars>{bars}</td><td>{figures}</td></tr>"
    )


def _reason(choice: Choice) -> str:
    return {
        "grammar": "forced by the grammar",
        "restricted": "the likeliest that the grammar allows",
        "draw": "drawn, though another was likelier",
        "model": "the model's favourite",
    }[choice.by]


def _told(choice: Choice) -> str:
    after = "" if choice.after is None else f", {choice.after:.3f} after"
    return f"{shown(choice.token.text)}: {_reason(choice)}; {choice.before:.3f} before{after}"
