"""Answers of made-up annotators, and the monitor that they work for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from driftwatch.config import MonitorConfig


def assignments(rows: list[dict]) -> pd.DataFrame:
    usual = {"control": False, "known_label": None, "status": "ACCEPTED", "submitted": "2026-01-01T10:00:00+00:00"}
    return pd.DataFrame([{**usual, "seconds": 40.0, "reward": 0.05, **row} for row in rows])


def crowd(skills: dict[str, float], images: int = 90, seed: int = 0) -> pd.DataFrame:
    """Every annotator on every image, ten controls each, on pages of ten."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(["cat", "dog"], images)
    rows = []
    for who, skill in skills.items():
        for index in range(images + 10):
            control = index >= images
            right = "cat" if control else truth[index]
            wrong = "dog" if right == "cat" else "cat"
            answer = "cat" if who == "always_cat" else right if rng.random() < skill else wrong
            rows.append(
                {
                    "assignment_id": f"{who}-{index // 10}",
                    "annotator_id": who,
                    "image_id": f"i{index:03d}",
                    "answer": answer,
                    "control": control,
                    "known_label": right if control else None,
                }
            )
    return assignments(rows)


def config(folder: Path = Path("/nowhere"), **annotation) -> MonitorConfig:
    return MonitorConfig.model_validate(
        {
            "name": "demo",
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{folder}"},
            "annotation": {"project_name": "p", "question": "q", "instructions": "i", **annotation},
        }
    )
