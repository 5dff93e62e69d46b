"""drift.json and content_drift.json are read as their models say, and written again to the byte."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from driftwatch.artifacts.drift import ContentDrift, DayDrift, DriftTrend, FeaturesTest
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.drift.against_reference import features_test
from driftwatch.drift.cusum import ScoredDay, trend
from driftwatch.drift.reference import Reference
from driftwatch.storage import Storage, open_storage

from . import samples
from .checks import read_whole, unknown_fields

DAY = MonitorKeys("demo").day(date(2026, 1, 10))


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        (DayDrift, samples.DAY_DRIFT),
        (DayDrift, samples.TOO_SMALL_DAY),
        (DayDrift, {**samples.DAY_DRIFT, "day_scores": {"image.Contrast": 0, "image.Entropy": -0.5}}),
        (DayDrift, {name: value for name, value in samples.DAY_DRIFT.items() if name not in ("trend", "hellinger")}),
        (ContentDrift, samples.CONTENT_DRIFT),
        (ContentDrift, samples.NO_CONTENT_TEST),
    ],
)
def test_a_file_is_read_whole_and_written_again(storage, kind, whole):
    storage.write_json(DAY.file(kind.file), whole)
    read_whole(storage, DAY.file(kind.file), kind)


@pytest.mark.parametrize("images", [5, 40])
def test_the_report_of_a_test_fits_with_and_without_enough_images(images):
    values = np.random.default_rng(1).normal(size=(120, 2))
    reference = Reference.build(pd.DataFrame(values, columns=["a", "b"]))
    test = features_test(reference.test(pd.DataFrame(values[:images] + 3, columns=["a", "b"])))
    found = FeaturesTest.model_validate_json(json.dumps(test.model_dump(mode="json", exclude_unset=True)))
    assert found == test
    assert list(unknown_fields(found)) == []
    assert found.verdict == ("drifted" if images == 40 else "not_enough_evidence")


@pytest.mark.parametrize("days", [1, 30])
def test_the_trend_fits_with_too_few_days_and_with_enough(days):
    first = date(2026, 1, 1)
    scored = [ScoredDay(first + timedelta(days=n), 50, {"a": 0.1 * n, "b": (-1) ** n * 0.1}) for n in range(days)]
    now = trend(scored, 1)
    found = DriftTrend.model_validate_json(json.dumps(now.model_dump(mode="json")))
    assert found == now
    assert list(unknown_fields(found)) == []
    assert (found.verdict, found.since is None) == (("drifted", False) if days == 30 else ("not_enough_evidence", True))
