"""The references' settings are read as their models say, and written again to the byte."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.reference import AcceptedState, Mutes, ReferenceSettings, StateOfModel, UsualPredictions
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


ACCEPTED = {"what": "accepted", "by": "ann", "at": "2026-01-11T09:00:00+00:00", "reason": "a new lens"}
MUTE = {
    "what": "feature", "name": "image.Sharpness.laplacian", "since": "2026-01-11", "until": "2026-02-11", "by": "ann",
    "at": "2026-01-11T09:00:00+00:00", "reason": "fog until spring",
}  # fmt: skip


def test_states_and_mutes_are_read_whole(storage):
    state = {"name": "lens", "days": ["2026-01-08", "2026-01-10"], "images": 480, "history": [ACCEPTED]}
    storage.write_json(LAYOUT.state("lens"), state)
    found = read_whole(storage, LAYOUT.state("lens"), AcceptedState)
    assert [found.is_usual_on(date(2026, 1, day)) for day in (9, 10, 11)] == [False, False, True]
    storage.write_json(LAYOUT.state("lens", VERSION), {"images": 0, "left_out": {"2026-01-08": "its inputs are gone"}})
    read_whole(storage, LAYOUT.state("lens", VERSION), StateOfModel)
    storage.write_json(LAYOUT.mutes, {"mutes": [MUTE]})
    (mute,) = read_whole(storage, LAYOUT.mutes, Mutes).mutes
    assert [mute.holds_on(date(2026, 2, day)) for day in (11, 12)] == [True, False]
