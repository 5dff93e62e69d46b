"""The references' settings are read as their models say, and written again to the byte."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.reference import ReferenceSettings, UsualPredictions
from driftwatch.drift.reference import CONTENT, Reference
from driftwatch.storage import Storage, open_storage

from . import samples
from .checks import read_whole

LAYOUT, VERSION = MonitorKeys("demo"), "v0001-0a1b2c3d"


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def test_the_demos_files_are_read_whole(storage):
    storage.write_json(LAYOUT.reference(VERSION), samples.REFERENCE)
    storage.write_json(LAYOUT.reference_predictions(VERSION), samples.USUAL)
    read_whole(storage, LAYOUT.reference(VERSION), ReferenceSettings)
    assert (
        read_whole(storage, LAYOUT.reference_predictions(VERSION), UsualPredictions).counts == samples.USUAL["counts"]
    )


def test_a_calibration_is_kept_by_its_batch_size(storage):
    values = pd.DataFrame(np.random.default_rng(1).normal(size=(120, 2)), columns=["a", "b"])
    reference = Reference.build(values, false_alarm_rate=0.01, seed=3)
    null = reference.calibration(40)
    reference.save(monitor_store(storage, LAYOUT), VERSION, CONTENT)
    found = read_whole(storage, LAYOUT.reference(VERSION, CONTENT), ReferenceSettings)
    assert (found.images, found.features, found.seed) == (120, ("a", "b"), 3)
    assert {size: dict(pairs) for size, pairs in found.calibrations.items()} == {40: null}
