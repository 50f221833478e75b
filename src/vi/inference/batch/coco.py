"""Grounded phrases as a COCO object-detection file (cocodataset.org/#format-data, "results as annotations")."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from vi.inference.batch.columns import OutputRow
from vi.inference.batch.failures import writing
from vi.inference.task_types.phrase_grounding import GroundedPhrase


def write_coco(path: Path, rows: Iterable[OutputRow]) -> tuple[int, int]:
    """Write the boxes of every grounded row; a category is a phrase, in the order of their first occurrence.

    Boxes are ``[x, y, width, height]`` in pixels of the upright picture. A picture asked about twice is one image.
    Returns how many boxes were written, and how many rows were left out because their picture's size is not known.
    Raises ConfigError or OutputError where it cannot be written.
    """
    images: dict[tuple[str, int, int], int] = {}
    categories: dict[str, int] = {}
    num_boxes = num_unknown = 0
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.write('{"info": {"description": "vi-infer batch"}, "annotations": [')
            for row in rows:
                if row["boxes"] is None:
                    continue
                if row["width"] is None:
                    num_unknown += bool(row["boxes"])
                    continue
                image = images.setdefault((row["source"], row["width"], row["height"]), len(images) + 1)
                for annotation in _annotations(row, categories):
                    num_boxes += 1
                    file.write("\n" if num_boxes == 1 else ",\n")
                    file.write(_json({"id": num_boxes, "image_id": image, **annotation}))
            file.write(f'],\n"images": {_json(_images(images))},\n"categories": {_json(_categories(categories))}}}\n')
    return num_boxes, num_unknown


def _annotations(row: OutputRow, categories: dict[str, int]) -> Iterator[dict[str, Any]]:
    for box in row["boxes"]:
        category = categories.setdefault(box["phrase"], len(categories) + 1)
        left, top, right, bottom = _pixels(box, row["width"], row["height"])
        size = (right - left, bottom - top)
        yield {
            "category_id": category, "bbox": [left, top, *size], "area": size[0] * size[1], "iscrowd": 0,
            **({"score": box["confidence"]} if box.get("confidence") is not None else {}),
        }  # fmt: skip


def _pixels(box: dict[str, Any], width: int, height: int) -> tuple[int, int, int, int]:
    ((x1, y1, x2, y2),) = GroundedPhrase(phrase=box["phrase"], grounding=[box["box"]]).to_pixels(width, height)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _images(images: dict[tuple[str, int, int], int]) -> list[dict[str, Any]]:
    return [
        {"id": number, "file_name": source, "width": width, "height": height}
        for (source, width, height), number in images.items()
    ]


def _categories(categories: dict[str, int]) -> list[dict[str, Any]]:
    return [{"id": number, "name": phrase} for phrase, number in categories.items()]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
