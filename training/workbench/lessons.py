"""The helping losses' targets and measures: what sight, states and heads are held to besides the answers."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from training.workbench.batches import Batch
from training.workbench.clip_targets import MOTIONS
from training.workbench.defects import DEFECTS
from training.workbench.grids import CELL
from training.workbench.packs import Pack
from training.workbench.parts import COLOURS, KINDS
from training.workbench.scenes import MAX_PARTS, SIZES

SPELT = 11  # a place of a number as it is written: its digit, or that the number has ended
SIDE = 14  # cells; no side of a picture as the model sees it is longer
PLACES = 3  # no edge of a picture as the model sees it needs more digits
# what the heads over patches and cells tell apart: classes, of which the last is "no part", and the share of the loss
TRAITS = {
    "kind": (len(KINDS) + 1, 1.0), "colour": (len(COLOURS) + 1, 1.0), "size": (len(SIZES) + 1, 0.5),
    "turn": (MAX_PARTS + 1, 0.5), "column": (4, 0.3), "row": (4, 0.3),
    "defect": (len(DEFECTS) + 2, 1.5),
}  # fmt: skip
RARE = 8  # a patch of a defective part weighs as much more where defects are told: few parts have one
THIRDS = [list(TRAITS).index("column"), list(TRAITS).index("row")]


def cell_edges(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """In pixels as seen: every cell's centre (x, y) [N / 4, 2], and the box of the part centred in it [B, N / 4, 4]."""
    height, width = batch.pictures.shape[-3:-1]
    device = batch.pictures.device
    y, x = torch.meshgrid(
        torch.arange(height // CELL, device=device), torch.arange(width // CELL, device=device), indexing="ij"
    )
    own = (torch.stack([x.flatten(), y.flatten()], -1) + 0.5) * CELL
    own = own.repeat(batch.cell_box.shape[1] // len(own), 1)  # of a clip, every temporal patch
    size = torch.tensor([width, height, width, height], device=device)
    return own, own.repeat(1, 2) + batch.cell_box / 8 * size


def middles(batch: Batch) -> torch.Tensor:
    """The middle (x, y) of the box of the part centred in every cell, [B, N / 4, 2], fractions of the longest side."""
    edges = cell_edges(batch)[1]
    return (edges[..., :2] + edges[..., 2:]) / (2 * SIDE * CELL)


def spelt(numbers: torch.Tensor) -> torch.Tensor:
    """Integers [..., PLACES]: the digits from the left, then 10 where the number has ended. 47 → 4, 7, 10.

    As an answer spells it: a token needs to know which place it is at, and no arithmetic.
    """
    numbers = numbers.clamp(0, 10**PLACES - 1)
    length = 1 + sum((numbers >= 10**power).long() for power in range(1, PLACES))
    ended = torch.full_like(numbers, SPELT - 1)
    places = [
        torch.where(place < length, numbers // 10 ** (length - 1 - place).clamp(min=0) % 10, ended)
        for place in range(PLACES)
    ]
    return torch.stack(places, -1)


def strayed(q: torch.Tensor, k: torch.Tensor, looks: torch.Tensor) -> torch.Tensor:
    """How far one head's attention over the picture's cells is from ``looks`` [B, T, N / 4], cross-entropy in nats.

    q: [B, T, head]; k: [B, N / 4, head].
    """
    row, place = looks.any(-1).nonzero(as_tuple=True)
    if not len(row):
        return q.new_zeros(())
    scores = torch.einsum("td,tnd->tn", q[row, place].float(), k[row].float()) / q.shape[-1] ** 0.5
    wanted = looks[row, place].float()
    return -(wanted * scores.log_softmax(-1)).sum(-1).div(wanted.sum(-1)).mean()


def unpointed(q: torch.Tensor, k: torch.Tensor, pack: Pack) -> torch.Tensor:
    """How far heads' attention is from ``pack.points``, one head a channel, cross-entropy in nats.

    q: [B, channels, T, head]; k: [B, T, head].
    """
    row, place, channel = (pack.points >= 0).nonzero(as_tuple=True)
    if not len(row):
        return q.new_zeros(())
    scores = torch.einsum("td,tnd->tn", q[row, channel, place].float(), k[row].float()) / q.shape[-1] ** 0.5
    own = pack.segments[row, place][:, None]  # [points, 1]
    before = torch.arange(k.shape[1], device=k.device) <= place[:, None]
    seen = ((pack.segments[row] == own) | (pack.segments[row] == 0)) & before
    return F.cross_entropy(scores.masked_fill(~seen, float("-inf")), pack.points[row, place, channel])


def mismoved(told: torch.Tensor, motion: torch.Tensor) -> torch.Tensor:
    """Cross-entropy, nats, of what the part in every cell of a clip has done: told [B, N, C], motion [B, N, 3].

    Most cells hold no part; together they count as much as those that do.
    """
    done, way, number = motion.unbind(-1)
    part = done > 0
    whats, ways, numbers = told.float().split(MOTIONS, -1)
    loss = F.cross_entropy(whats[~part], done[~part])
    if part.any():
        loss = loss + F.cross_entropy(whats[part], done[part]) + F.cross_entropy(ways[part], way[part])
    if (number >= 0).any():
        loss = loss + F.cross_entropy(numbers[number >= 0], number[number >= 0])
    return loss


def dense(out: torch.Tensor, classes: torch.Tensor, boxes: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """Cross-entropies and box L1 of one head: out [B, N, C], classes [B, N, 4] with -1 for no part, boxes [B, N, 4]."""
    out = out.float()
    part = classes[..., 0] >= 0
    loss, right = out.new_zeros(()), {}
    start = 0
    for i, (name, (count, share)) in enumerate(TRAITS.items()):
        logits = out[..., start : start + count]
        start += count
        target = torch.where(part, classes[..., i], count - 1)
        each = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none").view_as(target)
        weights, told = 1 + 2 * part, part
        if name == "defect":
            told = part & (target > 0)
            weights = weights + RARE * told
        loss = loss + (each * weights).mean() * share
        if told.any():
            right[name] = (logits.argmax(-1) == target)[told].float().mean().item()
    if part.any():
        miss = (out[..., start:] - boxes)[part].abs().mean()
        loss = loss + 0.5 * miss
        right["edge"] = miss.item() / 8  # fraction of the picture
    return loss, right
