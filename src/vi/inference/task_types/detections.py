"""Grounded phrases in the forms that other tools take: supervision's Detections, COCO annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from vi.inference.errors import ConfigError

if TYPE_CHECKING:
    from vi.inference.task_types.phrase_grounding import PhraseGroundingResponse


def to_supervision(response: PhraseGroundingResponse, width: int, height: int) -> Any:
    """A ``supervision.Detections`` in pixels of a picture of ``width`` by ``height``, one row a box.

    ``class_id`` counts phrases from 0 and ``data["class_name"]`` names them; ``confidence`` is None where the response
    has none. Raises ConfigError where supervision is not installed.
    """
    try:
        import supervision
    except ImportError as error:
        raise ConfigError(
            "to_supervision needs supervision, which is not installed.", "pip install supervision"
        ) from error
    import numpy as np  # of supervision's own needs; a task is described without it

    rows = list(_rows(response, width, height))
    scores = [score for _, _, _, score in rows]
    return supervision.Detections(
        xyxy=np.array([box for _, _, box, _ in rows], dtype=np.float32).reshape(-1, 4),
        class_id=np.array([index for index, _, _, _ in rows], dtype=int),
        confidence=None if None in scores else np.array(scores, dtype=np.float32),
        data={"class_name": np.array([phrase for _, phrase, _, _ in rows], dtype=str)},
    )


def to_coco(response: PhraseGroundingResponse, width: int, height: int, image_id: int = 1) -> dict[str, Any]:
    """A COCO data set of this one picture: ``images``, ``categories`` (the phrases) and ``annotations``.

    ``bbox`` is [x, y, width, height] in pixels; ``score`` is there where the response has confidences.
    """
    names = list(dict.fromkeys(each.phrase for each in response.result.groundings))
    annotations = []
    for number, (_, phrase, (x1, y1, x2, y2), score) in enumerate(_rows(response, width, height), 1):
        sides = (x2 - x1, y2 - y1)
        annotation = {
            "id": number,
            "image_id": image_id,
            "category_id": names.index(phrase) + 1,
            "bbox": [x1, y1, *sides],
            "area": sides[0] * sides[1],
            "iscrowd": 0,
        }
        annotations.append(annotation if score is None else {**annotation, "score": score})
    return {
        "images": [{"id": image_id, "width": width, "height": height}],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
        "annotations": annotations,
    }


def _rows(
    response: PhraseGroundingResponse, width: int, height: int
) -> Iterator[tuple[int, str, tuple[int, int, int, int], float | None]]:
    """(number of the phrase, phrase, box in pixels with its corners in order, confidence) of each box."""
    for index, grounded in enumerate(response.result.groundings):
        for place, (x1, y1, x2, y2) in enumerate(grounded.to_pixels(width, height)):
            box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
            yield (
                index,
                grounded.phrase,
                box,
                response.confidences[index].boxes[place] if response.confidences else None,
            )
