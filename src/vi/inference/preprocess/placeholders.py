"""The prompt text that stands for a picture: as many placeholders as the model has features for it, with their frame.

Every function takes (image processor's output, ``config.json``, image token) and returns one text a picture, the text
that the checkpoint's own processor in transformers writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

Inputs = Mapping[str, Any]
Config = Mapping[str, Any]

LLAVA_NEXT_GRIDS = ((336, 672), (672, 336), (672, 672), (1008, 336), (336, 1008))  # transformers' defaults
ONEVISION_GRIDS = tuple((384 * rows, 384 * columns) for rows in range(1, 7) for columns in range(1, 7))


def merged_grid(inputs: Inputs, config: Config, image_token: str) -> list[str]:
    """One token for every square of merged patches. Grids are [pictures, 3]: time, height, width, in patches."""
    merge = config["vision_config"].get("spatial_merge_size", 2)
    return [image_token * (math.prod(map(int, grid)) // merge**2) for grid in inputs["image_grid_thw"]]


def tiles(inputs: Inputs, config: Config, image_token: str) -> list[str]:
    """The picture's tiles, a line a row, then the whole picture; all of them framed by marker tokens."""
    vision = config["vision_config"]
    side = vision.get("image_size", 224) // vision.get("patch_size", 32)
    tile = image_token * (side**2 // config.get("scale_factor", 2) ** 2)
    frame = "<fake_token_around_image>"
    texts = []
    for num_rows, num_columns in zip(inputs["rows"][0], inputs["cols"][0], strict=True):
        lines = [
            "".join(f"{frame}<row_{row + 1}_col_{column + 1}>{tile}" for column in range(num_columns)) + "\n"
            for row in range(num_rows)
        ]
        gap = "\n" if lines else ""
        texts.append(f"{''.join(lines)}{gap}{frame}<global-img>{tile}{frame}")
    return texts


def unpadded_tiles(inputs: Inputs, config: Config, image_token: str) -> list[str]:
    """LLaVA-NeXT: the whole picture, then its tiles as one plane without padding, a newline feature after a row."""
    vision, texts = config["vision_config"], []
    tile = vision.get("image_size", 336)
    side = tile // vision.get("patch_size", 14)
    for size in inputs["image_sizes"]:
        rows, columns = _plane(size, config.get("image_grid_pinpoints") or LLAVA_NEXT_GRIDS, tile, side)
        texts.append(image_token * (side**2 + rows * (columns + 1)))
    return texts


def bounded_tiles(inputs: Inputs, config: Config, image_token: str) -> list[str]:
    """LLaVA-OneVision: as LLaVA-NeXT, the plane shrunk to the area of so many tiles (``anyres_max_9``: nine).

    Several pictures of one prompt are not cut: the whole of each, and a newline feature.
    """
    vision, texts = config["vision_config"], []
    tile = vision.get("image_size", 384)
    side = tile // vision.get("patch_size", 14)
    if any(int(number) > 1 for number in inputs.get("batch_num_images", ())):
        return [image_token * (side**2 + 1) for _ in inputs["image_sizes"]]
    most = int(config.get("vision_aspect_ratio", "anyres_max_9").removeprefix("anyres_max_"))
    for size in inputs["image_sizes"]:
        rows, columns = _plane(size, config.get("image_grid_pinpoints") or ONEVISION_GRIDS, tile, side)
        excess = math.sqrt(rows * columns / (most * side**2))
        if excess > 1.1:
            rows, columns = int(rows // excess), int(columns // excess)
        texts.append(image_token * (side**2 + rows * (columns + 1)))
    return texts


def counted_tiles(inputs: Inputs, config: Config, image_token: str) -> list[str]:
    """InternVL: every tile has equally many tokens, and the picture stands between brackets."""
    vision = config["vision_config"]
    height, width = (_first(vision.get(name, given)) for name, given in (("image_size", 448), ("patch_size", 14)))
    tile = int((height // width) ** 2 * config.get("downsample_ratio", 0.5) ** 2)
    return [f"<img>{image_token * (tile * int(number))}</img>" for number in inputs["num_patches"]]


def rows_of_patches(inputs: Inputs, config: Config, image_token: str) -> list[str]:
    """Pixtral and Mistral 3: a line of tokens for every row of patches, each but the last with a break after it."""
    patch = config["vision_config"].get("patch_size", 14) * config.get("spatial_merge_size", 2)
    texts = []
    for height, width in inputs["image_sizes"]:
        row = image_token * (int(width) // patch)
        texts.append("[IMG_BREAK]".join([row] * (int(height) // patch)) + "[IMG_END]")
    return texts


def fixed_with_crops(inputs: Inputs, config: Config, image_token: str) -> list[str]:
    """Gemma 3: equally many tokens for every picture between brackets, and for every crop the processor cut."""
    picture = f"\n\n<start_of_image>{image_token * config.get('mm_tokens_per_image', 256)}<end_of_image>\n\n"
    texts = []
    for number in inputs["num_crops"]:
        crops = " ".join([picture] * int(number))
        around = f"Here is the original image {picture} and here are some crops to help you see better {crops}"
        texts.append(around if crops else picture)
    return texts


def fixed(inputs: Inputs, config: Config, image_token: str) -> list[str]:
    """PaliGemma: one token for every patch of a picture of fixed size; the words begin with the text's own start."""
    vision = config["vision_config"]
    side = vision.get("image_size", 224) // vision.get("patch_size", 14)
    return [image_token * side**2 for _ in inputs["pixel_values"]]


def _plane(size: Sequence[Any], grids: Sequence[Sequence[int]], tile: int, side: int) -> tuple[int, int]:
    """Rows and columns of features that a picture's tiles hold once the padding is cut off.

    size: (height, width) in pixels. grids: the sizes it may be fitted into. side: features along a side of a tile.
    Rounded to 7 places before it is cut, as transformers does, so that 27.999999 is 28.
    """
    height, width = (int(value) for value in size)
    best = max(grids, key=lambda grid: _fit(height, width, grid))
    rows, columns = (side * (int(length) // tile) for length in best)
    if width / height > columns / rows:
        rows -= (rows - int(round(height * (columns / width), 7))) // 2 * 2
    else:
        columns -= (columns - int(round(width * (rows / height), 7))) // 2 * 2
    return rows, columns


def _fit(height: int, width: int, grid: Sequence[int]) -> tuple[int, int]:
    """How well a picture fits a grid: the pixels it keeps, then the fewest left empty; the first grid wins a tie."""
    scale = min(grid[1] / width, grid[0] / height)
    kept = min(int(width * scale) * int(height * scale), width * height)
    return kept, kept - grid[0] * grid[1]


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, list | tuple) else value)
