"""Train the embedded run from nothing: first sight (dense targets), then language over it, then both together.

    python -m training.workbench.train --out runs/workbench [--minutes 90] [--device cuda]

Stops at the time given or on Ctrl-C and continues from its last checkpoint when called again with the same --out.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from training.workbench import tokens
from training.workbench.batches import Batch
from training.workbench.course import loader
from training.workbench.network import Network
from training.workbench.packs import Pack

SEED = 30
# phase -> (steps, pictures a step, peak learning rate)
PHASES = {"sight": (1800, 16, 1.2e-3), "both": (5000, 8, 8e-4)}
# while the language part learns, the tower keeps what it knows: it moves slower, and its heads keep it to the facts
VISION_RATE, DENSE_WEIGHT = 0.7, 0.4
READ_WEIGHTS = {
    "told": 1.0, "misplaced": 0.4, "misspelt": 0.3, "misnamed": 0.1, "misturned": 0.2, "miscopied": 0.2, "strayed": 0.3,
    "misread": 0.15, "unpointed": 0.15, "miscompared": 0.3, "misjudged": 0.3, "mismoved": 0.3,
}  # fmt: skip


def main() -> None:
    args = _arguments()
    out = Path(args.out)
    if args.start:
        out.mkdir(parents=True, exist_ok=True)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(args.start / name, out / name)
    elif not (out / "tokenizer.json").exists():
        tokens.build(out)
    state = _State(out, args)
    started = time.monotonic()
    for phase, (steps, size, peak) in state.plan.items():
        if not state.run(phase, steps, size, peak, deadline=started + args.minutes * 60):
            print(f"out of time in {phase} at step {state.step}; call again to go on", flush=True)
            return
    print("done", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="runs/workbench", help="folder for checkpoints, log and tokenizer")
    parser.add_argument("--minutes", type=float, default=90, help="stop (and keep a checkpoint) after this long")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw scenes")
    parser.add_argument("--start", type=Path, help="begin the second phase with the weights of this run's model folder")
    parser.add_argument("--sight-steps", type=int, help="steps of the first phase")
    parser.add_argument("--both-steps", type=int, help="steps of the second phase")
    parser.add_argument("--batch", type=int, help="pictures a step, both phases")
    return parser.parse_args()


class _State:
    """Everything that a resumed training needs."""

    def __init__(self, out: Path, args: argparse.Namespace) -> None:
        torch.manual_seed(SEED)
        self.out, self.args, self.device = out, args, torch.device(args.device)
        self.net = Network().to(self.device)
        self.optimizer = torch.optim.AdamW(_groups(self.net), lr=1e-3, betas=(0.9, 0.98), eps=1e-8, fused=True)
        self.phase, self.step = next(iter(PHASES)), 0
        overrides = {"sight": args.sight_steps, "both": args.both_steps}
        self.plan = {p: (overrides[p] or s, args.batch or n, lr) for p, (s, n, lr) in PHASES.items()}
        if (out / "checkpoint.pt").exists():
            saved = torch.load(out / "checkpoint.pt", map_location=self.device, weights_only=True)
            self._take(saved["net"], saved["moments"])
            self.phase, self.step = saved["phase"], saved["step"]
        elif args.start:
            self.net.model.load_state_dict(
                load_file(args.start / "model.safetensors"), strict=False
            )  # the head is tied
            self.phase = "both"

    def _take(self, weights: dict[str, torch.Tensor], moments: dict[str, dict[str, torch.Tensor]]) -> None:
        """By name, so that heads for training may come and go; what is new begins as it was made."""
        own = dict(self.net.named_parameters())
        same = {name: value for name, value in weights.items() if name not in own or own[name].shape == value.shape}
        self.net.load_state_dict(same, strict=False)
        for name in own.keys() & same.keys() & moments.keys():
            self.optimizer.state[own[name]] = moments[name]

    def run(self, phase: str, steps: int, size: int, peak: float, deadline: float) -> bool:
        """Go on with a phase; False when time ran out before its end."""
        order = list(self.plan)
        if order.index(phase) < order.index(self.phase):
            return True
        if phase != self.phase:
            self.phase, self.step = phase, 0
        tokenizer = str(self.out / "tokenizer.json") if phase != "sight" else None
        series = SEED + order.index(phase)
        saved = clock = time.monotonic()
        seen = 0
        for batch in loader(series, size, tokenizer, self.step, steps, self.args.workers):
            rate = peak * _schedule(self.step, steps)
            loss, report = self._learn(_to(batch, self.device), phase, rate)
            self.step, seen = self.step + 1, seen + size
            now = time.monotonic()
            if self.step % 25 == 0:
                report |= {"loss": loss, "rate": rate, "per_second": seen / (now - clock)}
                self._log(phase=phase, step=self.step, **{k: round(v, 5) for k, v in report.items()})
                clock, seen = now, 0
            if now - saved > 180 or now > deadline:
                self._save()
                saved = now
            if now > deadline:
                return False
        self._save()
        return True

    def _learn(self, batch: Batch, phase: str, rate: float) -> tuple[float, dict[str, float]]:
        for group in self.optimizer.param_groups:
            group["lr"] = rate * (VISION_RATE if phase != "sight" and group["sees"] else 1.0)
        with torch.autocast(self.device.type, torch.bfloat16):
            patches, cells = self.net.see(batch.pictures)
            loss, report = self.net.dense_loss(batch, patches, cells)
            if batch.pack is not None:
                read = self.net.read(batch, cells)
                report |= {name: value.item() for name, value in read.items()}
                loss = DENSE_WEIGHT * loss + sum(READ_WEIGHTS[name] * value for name, value in read.items())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        return loss.item(), report

    def _log(self, **row: object) -> None:
        print(json.dumps(row), flush=True)
        with (self.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(row) + "\n")

    def _save(self) -> None:
        kept = {
            "net": self.net.state_dict(),
            "moments": {name: self.optimizer.state[p] for name, p in self.net.named_parameters()},
            "phase": self.phase,
            "step": self.step,
        }
        torch.save(kept, self.out / "checkpoint.tmp")
        (self.out / "checkpoint.tmp").rename(self.out / "checkpoint.pt")


def _groups(net: Network) -> list[dict]:
    """Parameters by whether they see and whether they decay (matrices do)."""
    groups = []
    for sees in (True, False):
        for decays in (True, False):
            chosen = [p for n, p in net.named_parameters() if ("visual" in n) == sees and (p.dim() > 1) == decays]
            groups.append({"params": chosen, "weight_decay": 0.02 if decays else 0.0, "sees": sees})
    return groups


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up over 100 steps, then a cosine down to a twentieth."""
    return min(1.0, (step + 1) / 100) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))


def _to(batch: Batch | Pack, device: torch.device) -> Any:
    """The same record with its tensors on the device."""
    moved = {f.name: getattr(batch, f.name) for f in fields(batch)}
    for name, value in moved.items():
        if isinstance(value, torch.Tensor):
            moved[name] = value.to(device)
        elif isinstance(value, Pack):
            moved[name] = _to(value, device)
    return type(batch)(**moved)


if __name__ == "__main__":
    main()
