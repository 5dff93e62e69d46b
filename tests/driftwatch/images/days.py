"""A day, and the model that judges it, for the tests of this package."""

from __future__ import annotations

from tests.stores import SMALLEST

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import ImagesConfig, MonitorConfig
from driftwatch.images.ingest import DayModel
from driftwatch.storage import Storage

MODEL = DayModel("v1", ModelInput.square(32))


def day_of(storage: Storage, keys: DayKeys, images: ImagesConfig | None = None) -> DayStore:
    """The day of a monitor file with this section `images`; with its defaults where there is none."""
    config = MonitorConfig.model_validate({**SMALLEST, "name": keys.monitor})
    return MonitorStore(storage, config.model_copy(update={"images": images or ImagesConfig()})).day(keys.day)
