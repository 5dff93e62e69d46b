"""The file that says what the images show. Only the crowd reads it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


def write_truth(path: Path, known: Mapping[str, str]) -> None:
    """Writes the stand-in's file. `known`: classes by image id."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image_id", "label"])
        writer.writerows(sorted(known.items()))
