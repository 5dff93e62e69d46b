"""A day, its photos, and the model that judges it, for the tests of this package."""

from __future__ import annotations

from datetime import date

import cv2
import numpy as np
from tests.stores import SMALLEST

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import ImagesConfig, MonitorConfig
from driftwatch.images.ingest import DayModel
from driftwatch.storage import Storage

MODEL = DayModel("v1", ModelInput.square(32))
DAY = DayKeys("cats", date(2026, 3, 1))


def day_of(storage: Storage, keys: DayKeys, images: ImagesConfig | None = None) -> DayStore:
    """The day of a monitor file with this section `images`; with its defaults where there is none."""
    config = MonitorConfig.model_validate({**SMALLEST, "name": keys.monitor})
    return MonitorStore(storage, config.model_copy(update={"images": images or ImagesConfig()})).day(keys.day)


def photo(seed: int) -> bytes:
    rgb = np.random.default_rng(seed).integers(0, 255, (40, 48, 3), np.uint8)
    return cv2.imencode(".jpg", rgb)[1].tobytes()


def rows(storage: Storage) -> dict[str, tuple[str, str]]:
    """Status and reason of the objects of DAY, by the name below its folder."""
    table = storage.read_table(DAY.manifest)
    names = [key.removeprefix(f"{DAY.incoming}/") for key in table["key"]]
    return dict(zip(names, zip(table["status"], table["reason"], strict=True), strict=True))
