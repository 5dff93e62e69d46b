"""Labelled images of several days, as segments and slices are judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

CAMERA, LIGHT, BRIGHTNESS = "camera", "light", "image.Brightness.mean"


def labelled_day(
    rng: np.random.Generator, labels: int, cameras: int = 10, wrong: float = 0.15, bad: float = 0.0, day: int = 0
) -> pd.DataFrame:
    """Images of some cameras, of which the first one's are wrong by `bad` more often; the rest of a day is the same for all."""
    camera = rng.integers(0, cameras, labels)
    missed = rng.random(labels) < wrong + bad * (camera == 0)
    said = np.where(rng.random(labels) < 0.5, "cat", "dog")
    return pd.DataFrame(
        {
            "image_id": [f"{day}-{number:04d}" for number in range(labels)],
            "label": np.where(missed, np.where(said == "cat", "dog", "cat"), said),
            "prediction": said,
            "weight": 1.0,
            "stratum": "",
            CAMERA: [f"door-{place}" for place in camera],
            LIGHT: np.where(rng.random(labels) < 0.4, "night", "day"),
            BRIGHTNESS: rng.normal(100, 20, labels),
        }
    )


def of_shares(shares: Sequence[tuple[str, int, int]]) -> pd.DataFrame:
    """Segments of the column `camera`: name, labels, right answers."""
    rows = [(name, number < right) for name, labels, right in shares for number in range(labels)]
    return pd.DataFrame(
        {
            "image_id": [f"i{number:04d}" for number in range(len(rows))],
            "label": "cat",
            "prediction": ["cat" if right else "dog" for _, right in rows],
            "weight": 1.0,
            "stratum": "",
            CAMERA: [name for name, _ in rows],
        }
    )
