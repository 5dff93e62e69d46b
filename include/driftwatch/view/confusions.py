"""The confusion matrix for people: cells that fit their number, and beyond what an eye takes in the pairs confused most often."""

from __future__ import annotations

from typing import Any

from driftwatch.accuracy.policy import percent
from driftwatch.models.metrics import top_confusions

# Beyond this many classes the most frequent confusions stand in place of the matrix.
MOST_CLASSES, MOST_PAIRS = 15, 20
# Up to this many classes the cells are so large; then smaller.
_SIZES = ((4, "large"), (8, "middle"), (MOST_CLASSES, "small"))


def confusions(matrix: dict[str, Any]) -> dict[str, Any]:
    """`size` and `rows` of the matrix, its cells shaded by their share of the row; or, of many classes, `pairs`, and how many `more`."""
    labels = matrix["labels"]
    if len(labels) > MOST_CLASSES:
        found = top_confusions(matrix, len(labels) ** 2)
        pairs = [
            {"truth": truth, "predicted": predicted, "n": n, "share": percent(round(share, 2))}
            for truth, predicted, n, share in found[:MOST_PAIRS]
        ]
        return {"labels": labels, "pairs": pairs, "more": len(found) - len(pairs), "rows": []}
    size = next(name for most, name in _SIZES if len(labels) <= most)
    rows = [_row(labels, place, row) for place, row in enumerate(matrix["rows"])]
    return {"labels": labels, "pairs": [], "more": 0, "rows": rows, "size": size}


def _row(labels: list[str], place: int, row: list[int]) -> dict[str, Any]:
    total = sum(row)
    cells = [
        {
            "n": n or "",
            "share": percent(round(n / total, 2)) if n else "",
            "heat": round(n / total, 2) if n else 0,
            "right": place == column,
            "of": labels[column],
        }
        for column, n in enumerate(row)
    ]
    return {"name": labels[place], "cells": cells}
