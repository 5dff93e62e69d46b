"""Profiles to send to the WhyLabs stand-in, and what it then counts."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from driftwatch.drift.whylogs_profiles import feature_profile, performance_profile

DAY = date(2026, 1, 2)


def features(rows: int, seed: int = 0) -> bytes:
    values = np.random.default_rng(seed).normal(100, 10, rows)
    return feature_profile(pd.DataFrame({"image.entropy": values}), DAY)


FEATURES, REVISED = features(40), features(50, seed=1)
PERFORMANCE = performance_profile(["cat", "dog", "dog"], ["cat", "dog", "cat"], [0.9, 0.8, 0.7], DAY)


def counts(server: Any) -> dict[date, tuple[int, int]]:
    """Images, and labelled samples, of each day."""
    found = {}
    for day, seen in server.state()["days"].items():
        images = seen["columns"].get("image.entropy", {"count": 0})["count"]
        found[date.fromisoformat(day)] = images, sum(map(sum, seen["confusion"]["counts"])) if seen["confusion"] else 0
    return found


def counted(server: Any) -> tuple[int, int]:
    """Images, and labelled samples, of DAY."""
    return counts(server).get(DAY, (0, 0))
