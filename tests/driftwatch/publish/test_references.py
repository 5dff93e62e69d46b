"""The reference of a model version is published once to each sink."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from driftwatch.artifacts.publishing import UploadLedger
from driftwatch.artifacts.store import MonitorStore
from driftwatch.drift.whylogs_profiles import content_hash, feature_profile
from driftwatch.publish.references import publish_reference
from driftwatch.storage import open_storage

from .doubles import CountingSink

VERSION = "v0001-00000001"


def test_a_version_has_a_ledger_of_its_own_and_carries_the_monitors_first_day(small_monitor, tmp_path):
    store = MonitorStore(open_storage(f"file://{tmp_path}"), small_monitor(f"file://{tmp_path}"))
    features = pd.DataFrame({"image.Brightness.mean": np.linspace(0, 255, 20)})
    store.storage.write_table(store.keys.reference_features(VERSION), features.assign(image_id="x"))
    first = store.config.schedule.start_date
    store.storage.write_bytes(store.keys.reference_profile(VERSION), feature_profile(features, first))
    sink = CountingSink()

    assert [publish_reference(store, sink, VERSION).state for _ in range(2)] == ["uploaded", "skipped"]
    (upload,) = store.read(store.keys.reference_published(VERSION), UploadLedger).uploads
    assert (upload.kind, upload.reference, upload.day) == ("reference", VERSION, first)
    assert isinstance(first, date)
    assert upload.content_hash == content_hash(features)
