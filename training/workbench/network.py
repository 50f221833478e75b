"""The stock Qwen2.5-VL classes as they are trained: same weights, pictures of one size attending as one batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from training.workbench import surfaces
from training.workbench.attention import attend, attend_blocks, norm, pack_blocks, text_heads
from training.workbench.batches import Batch
from training.workbench.clip_targets import MOTIONS
from training.workbench.grids import CELL, MERGE, PATCH
from training.workbench.lessons import (
    PLACES,
    SIDE,
    SPELT,
    THIRDS,
    TRAITS,
    cell_edges,
    dense,
    middles,
    mismoved,
    spelt,
    strayed,
    unpointed,
)
from training.workbench.packs import Pack
from training.workbench.parts import COLOURS, KINDS
from training.workbench.scenes import MAX_PARTS
from training.workbench.tokens import MARKS, VOCAB_SIZE

VISION = {"depth": 6, "hidden_size": 192, "num_heads": 6, "intermediate_size": 512}
TEXT = {
    "hidden_size": 256,
    "intermediate_size": 640,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
# The axes share one ladder of frequencies, time the fastest, width the slowest. With the usual base of 10,000 a step to
# the right would turn the slowest third by 0.003 radians at most: the model could not tell columns apart.
ROPE = {"rope_type": "default", "rope_theta": 10.0, "mrope_section": [4, 14, 14]}
PLACE_LAYER = 1  # after this language layer, the picture's cells must know where they are,
DIGIT_LAYER = 2  # and after this one, the digits of their part's edges
LOOK_LAYERS = (3, 4)  # in these, the first head of a token must look at the parts that it is about
COPY_LAYER = 3  # and after this one, a token amid a box must know the digits of that box
POINT_LAYER = 4  # in this, the first two heads of the second group point at tokens of the question
NAME_LAYER = 2  # before they look, a token amid a box must know whose it is, and one in a list whose turn it is
_OUTPUTS = sum(classes for classes, _ in TRAITS.values()) + 4


def config() -> Qwen2_5_VLConfig:
    """The architecture: stock Qwen2.5-VL, every vision layer attending to the whole picture."""
    mark = {m: i for i, m in enumerate(MARKS)}
    vision = {
        **VISION,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "in_channels": 3,
        "window_size": 7 * CELL,
        "fullatt_block_indexes": list(range(VISION["depth"])),
        "out_hidden_size": TEXT["hidden_size"],
        "tokens_per_second": 4,
        "initializer_range": 0.04,
    }
    text = {
        **TEXT,
        "vocab_size": VOCAB_SIZE,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": True,
        "initializer_range": 0.04,
        "rope_parameters": ROPE,
        "rms_norm_eps": 1e-6,
        "bos_token_id": None,
        "eos_token_id": mark["<|im_end|>"],
        "pad_token_id": mark["<|endoftext|>"],
    }
    return Qwen2_5_VLConfig(
        vision_config=vision,
        text_config=text,
        image_token_id=mark["<|image_pad|>"],
        video_token_id=mark["<|video_pad|>"],
        vision_start_token_id=mark["<|vision_start|>"],
        vision_end_token_id=mark["<|vision_end|>"],
        tie_word_embeddings=True,
    )


class Network(nn.Module):
    """The model and, for training only, heads that read parts off patches and off language cells."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Qwen2_5_VLForConditionalGeneration(config())
        self.patch_head = nn.Linear(VISION["hidden_size"], _OUTPUTS)
        self.cell_head = nn.Linear(TEXT["hidden_size"], _OUTPUTS)
        self.surface_head = nn.Linear(TEXT["hidden_size"], len(surfaces.NAMES))
        self.place_head = nn.Linear(TEXT["hidden_size"], 2 * SIDE + 4)
        self.name_head = nn.Linear(TEXT["hidden_size"], len(KINDS) + len(COLOURS) + MAX_PARTS)
        self.read_head = nn.Linear(TEXT["hidden_size"], _OUTPUTS - 4 + 2)
        self.motion_head = nn.Linear(TEXT["hidden_size"], sum(MOTIONS))
        self.way_head = nn.Linear(TEXT["hidden_size"], 4)
        self.third_head = nn.Linear(TEXT["hidden_size"], 6)
        self.digit_head = nn.Linear(TEXT["hidden_size"], 4 * PLACES * SPELT)

    def see(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """uint8 [B, H, W, 3] -> (patches [B, N, D] after the last block, cells [B, N / 4, E] after the merger).

        Clips, uint8 [B, T, H, W, 3] with T even, give the patches and cells of T / 2 temporal patches, one after the
        other; each of these attends within itself.
        """
        tower = self.model.model.visual
        size, (height, width) = len(pictures), pictures.shape[-3:-1]
        rows, columns = height // CELL, width // CELL
        x = self._embed(pictures, rows, columns)
        cos, sin = self._vision_rope(rows, columns, x.device)
        for block in tower.blocks:
            x = x + attend(block.attn, norm(block.norm1, x), cos, sin)
            h = norm(block.norm2, x)
            x = x + block.mlp.down_proj(F.silu(block.mlp.gate_proj(h)) * block.mlp.up_proj(h))
        merged = norm(tower.merger.ln_q, x).unflatten(1, (rows * columns, -1)).flatten(2)
        return x.reshape(size, -1, x.shape[-1]), tower.merger.mlp(merged).reshape(size, -1, TEXT["hidden_size"])

    def _embed(self, pictures: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
        """[B * G, N, D]: pictures or temporal patches in the processor's order of patches."""
        weight = self.model.model.visual.patch_embed.proj.weight  # [D, C, 2, P, P]
        if pictures.dim() == 4:
            weight = weight.sum(2)  # a still picture fills both frames of a patch
        frames = 1 if pictures.dim() == 4 else 2
        x = pictures.to(torch.float32).div(127.5).sub(1)
        x = x.reshape(-1, frames, rows, MERGE, PATCH, columns, MERGE, PATCH, 3).permute(0, 2, 5, 3, 6, 8, 1, 4, 7)
        return F.linear(x.reshape(len(x), rows * columns * MERGE * MERGE, -1), weight.flatten(1))

    def _vision_rope(self, rows: int, columns: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        inside = torch.arange(MERGE, device=device)
        h = (torch.arange(rows, device=device)[:, None, None, None] * MERGE + inside[None, None, :, None]).expand(
            rows, columns, MERGE, MERGE
        )
        w = (torch.arange(columns, device=device)[None, :, None, None] * MERGE + inside[None, None, None, :]).expand(
            rows, columns, MERGE, MERGE
        )
        inv = self.model.model.visual.rotary_pos_emb.inv_freq.to(device)
        angles = torch.cat([h.reshape(-1, 1) * inv, w.reshape(-1, 1) * inv], -1)  # [N, head / 2]
        angles = torch.cat([angles, angles], -1)
        return angles.cos(), angles.sin()

    def read(self, batch: Batch, cells: torch.Tensor) -> dict[str, torch.Tensor]:
        """told: weighted cross-entropy over the answers, nats a token; the others are the helping losses below."""
        pack = batch.pack
        assert pack is not None
        text = self.model.model.language_model
        x = text.embed_tokens(pack.ids)
        start = pack.image_start
        x = torch.cat([x[:, :start], cells.to(x.dtype), x[:, start + cells.shape[1] :]], 1)
        cos, sin = text.rotary_emb(x, pack.positions)
        blocks = pack_blocks(pack.segments)
        losses = {"strayed": x.new_zeros(())}
        seen = slice(start, start + cells.shape[1])
        for number, layer in enumerate(text.layers):
            q, k, v = text_heads(layer.self_attn, norm(layer.input_layernorm, x), cos, sin)
            x = x + layer.self_attn.o_proj(attend_blocks(q, k, v, blocks))
            h = norm(layer.post_attention_layernorm, x)
            x = x + layer.mlp.down_proj(F.silu(layer.mlp.gate_proj(h)) * layer.mlp.up_proj(h))
            if number == PLACE_LAYER:
                losses["misplaced"] = self._misplaced(batch, x[:, seen])
            if number == DIGIT_LAYER:
                losses["misspelt"] = self._misspelt(batch, x[:, seen])
                if batch.cell_motion is not None:
                    losses["mismoved"] = mismoved(self.motion_head(x[:, seen]), batch.cell_motion)
            if number == NAME_LAYER:
                losses["misnamed"] = self._misnamed(batch, pack, x)
                losses["misturned"] = self._misturned(pack, x)
            if number == COPY_LAYER:
                losses["misread"] = self._misread(batch, pack, x)
                losses["miscopied"] = self._digits(x, pack.edges, pack.edges[..., 0] >= 0)
            if number in LOOK_LAYERS:
                losses["strayed"] = losses["strayed"] + strayed(q[:, 0], k[:, 0, seen], pack.looks)
            if number == POINT_LAYER:
                losses["unpointed"] = unpointed(q[:, 2:], k[:, 1], pack)
                losses["miscompared"] = self._miscompared(batch, pack, x)
                losses["misjudged"] = self._misjudged(pack, x)
        asked = pack.labels[:, 1:] != -100
        logits = self.model.lm_head(norm(text.norm, x[:, :-1][asked]))
        each = F.cross_entropy(logits.float(), pack.labels[:, 1:][asked], reduction="none")
        weights = pack.weights[:, 1:][asked]
        return losses | {"told": (each * weights).sum() / weights.sum()}

    def _misplaced(self, batch: Batch, hidden: torch.Tensor) -> torch.Tensor:
        """Where every cell is, its column and row (cross-entropy, nats), and the edges of the part centred in it (L1).

        The tower knows relative places only, and the language part learns absolute ones slowly from answers alone.
        """
        own, edges = cell_edges(batch)
        told = self.place_head(hidden).float()
        place = (own // CELL).long().expand(len(hidden), -1, -1)  # [B, N / 4, 2]
        loss = F.cross_entropy(told[..., :SIDE].flatten(0, 1), place[..., 0].flatten())
        loss = loss + F.cross_entropy(told[..., SIDE : 2 * SIDE].flatten(0, 1), place[..., 1].flatten())
        part = batch.cell_class[..., 0] >= 0
        if not part.any():
            return loss
        return loss + 10 * (told[..., 2 * SIDE :] - edges / (SIDE * CELL))[part].abs().mean()

    def _misspelt(self, batch: Batch, hidden: torch.Tensor) -> torch.Tensor:
        """How far every cell is from knowing the digits of the edges of the part centred in it, and its third each way.

        An answer spells boxes digit by digit; what is spelt out already needs only to be copied.
        """
        part = batch.cell_class[..., 0] >= 0
        digits = self._digits(hidden, cell_edges(batch)[1].round().long(), part)
        if not part.any():
            return digits
        thirds = self.third_head(hidden[part]).float().view(-1, 3)  # [parts * 2, 3]
        return digits + F.cross_entropy(thirds, batch.cell_class[part][:, THIRDS].flatten())

    def _misnamed(self, batch: Batch, pack: Pack, hidden: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, nats, of the kind and the colour of the part whose box a token is amid. hidden: [B, T, E]."""
        row, place = (pack.edges[..., 0] >= 0).nonzero(as_tuple=True)
        cell = pack.looks[row, place].int().argmax(-1)
        kind, colour = batch.cell_class[row, cell, 0], batch.cell_class[row, cell, 1]
        told = self.name_head(hidden[row, place])[kind >= 0].float()  # a part that lies on it may hold that cell
        if not len(told):
            return hidden.new_zeros(())
        kinds, colours, _ = told.split([len(KINDS), len(COLOURS), MAX_PARTS], -1)
        return F.cross_entropy(kinds, kind[kind >= 0]) + F.cross_entropy(colours, colour[kind >= 0])

    def _misturned(self, pack: Pack, hidden: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, nats, of whose turn it is where parts are listed. hidden: [B, T, E]."""
        listed = pack.turns >= 0
        if not listed.any():
            return hidden.new_zeros(())
        return F.cross_entropy(self.name_head(hidden[listed])[:, -MAX_PARTS:].float(), pack.turns[listed])

    def _misread(self, batch: Batch, pack: Pack, hidden: torch.Tensor) -> torch.Tensor:
        """What a token that looks at one part should have found there: cross-entropy, nats, of the part's traits, and
        L1 of its middle. hidden: [B, T, E]."""
        one = (pack.looks.sum(-1) == 1) & (pack.segments > 0)
        row, place = one.nonzero(as_tuple=True)
        cell = pack.looks[row, place].int().argmax(-1)
        known = batch.cell_class[row, cell, 0] >= 0  # a part that lies on it may hold that cell
        if not known.any():
            return hidden.new_zeros(())
        told = self.read_head(hidden[row, place][known]).float()
        row, cell = row[known], cell[known]
        *traits, middle = told.split([*(count for count, _ in TRAITS.values()), 2], -1)
        shares = (share for _, share in TRAITS.values())
        classes = batch.cell_class[row, cell].unbind(-1)
        loss = sum(s * F.cross_entropy(t, c) for s, t, c in zip(shares, traits, classes, strict=True))
        return loss + 3 * (middle - middles(batch)[row, cell]).abs().mean()

    def _miscompared(self, batch: Batch, pack: Pack, hidden: torch.Tensor) -> torch.Tensor:
        """How far a token that points at two names is from knowing what lies between their parts.

        L1 of the way from one middle to the other, and cross-entropy, nats, of its directions. hidden: [B, T, E].
        """
        row, place = (pack.points >= 0).all(-1).nonzero(as_tuple=True)
        looks = pack.looks[row[:, None], pack.points[row, place]]  # [tokens, 2, N / 4]
        known = (looks.sum(-1) == 1).all(-1)
        if not known.any():
            return hidden.new_zeros(())
        row, place, cells = row[known], place[known], looks[known].int().argmax(-1)
        way = middles(batch)[row[:, None], cells].diff(dim=1)[:, 0]  # [tokens, 2]
        far, sides = self.way_head(hidden[row, place]).float().split(2, -1)
        return 3 * (far - way).abs().mean() + F.binary_cross_entropy_with_logits(4 * sides, (way > 0).float())

    def _misjudged(self, pack: Pack, hidden: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, nats, of answers that compare two parts, were they told from here. hidden: [B, T, E].

        What is known of both and of the side that is asked about must be multiplied; one layer alone finds that late.
        """
        judged = (pack.points[:, :-1] >= 0).all(-1) & (pack.labels[:, 1:] != -100)
        if not judged.any():
            return hidden.new_zeros(())
        logits = self.model.lm_head(norm(self.model.model.language_model.norm, hidden[:, :-1][judged]))
        each, weights = (
            F.cross_entropy(logits.float(), pack.labels[:, 1:][judged], reduction="none"),
            pack.weights[:, 1:][judged],
        )
        return (each * weights).sum() / weights.sum()

    def _digits(self, hidden: torch.Tensor, edges: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Cross-entropy, nats an edge, of how edges in pixels are spelt, of those states known.

        hidden: [B, X, E]; edges: integers [B, X, 4]; known: bool [B, X].
        """
        if not known.any():
            return hidden.new_zeros(())
        logits = self.digit_head(hidden[known]).float().view(-1, SPELT)  # [states * 4 * PLACES, SPELT]
        return PLACES * F.cross_entropy(logits, spelt(edges[known]).flatten())

    def dense_loss(
        self, batch: Batch, patches: torch.Tensor, cells: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, float]]:
        """Loss of the heads and what share of covered patches and centre cells they name rightly."""
        near, seen = dense(self.patch_head(patches), batch.patch_class, batch.patch_box)
        far, found = dense(self.cell_head(cells), batch.cell_class, batch.cell_box)
        ground = F.cross_entropy(self.surface_head(cells.mean(1)).float(), batch.surface)
        return near + far + 0.3 * ground, {
            "surface": ground.item(),
            **{f"patch_{k}": v for k, v in seen.items()},
            **{f"cell_{k}": v for k, v in found.items()},
        }
