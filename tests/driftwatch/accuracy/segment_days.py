"""Days of two cameras, of which one is bad."""

from __future__ import annotations

import numpy as np
import pandas as pd

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.config import MonitorConfig
from driftwatch.images.features import COLUMNS
from driftwatch.storage import Storage

from .days import write_small_day


def with_cameras(storage: Storage, day: DayKeys) -> DayKeys:
    """The first ten images of a day, on which the model is wrong first, are of door-2, the other 70 of door-1."""
    ids = storage.read_table(day.predictions)["image_id"].tolist()
    camera = ["door-2" if place < 10 else "door-1" for place in range(len(ids))]
    manifest = {"image_id": ids, "key": ids, "status": "accepted", "segment.camera": camera}
    storage.write_table(day.manifest, pd.DataFrame(manifest))
    noise = np.random.default_rng(1).normal(size=(len(ids), len(COLUMNS)))
    storage.write_table(day.features, pd.DataFrame(noise, columns=list(COLUMNS)).assign(image_id=ids))
    return day


def write_days(storage: Storage, monitor: MonitorConfig, days: int, wrong: int = 8) -> list[DayKeys]:
    """Days of 40 labels, ten of them of door-2, of which the model is wrong on some."""
    return [
        with_cameras(storage, write_small_day(storage, monitor, 5 + place, labels=40, wrong=wrong))
        for place in range(days)
    ]
