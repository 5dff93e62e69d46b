"""What the kinds of drift share: their rate, their reference, which images count less, and which are shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.artifacts.store import DayStore
from driftwatch.drift import Reference
from driftwatch.drift.against_reference import (
    examples,
    features_test,
    kind_rate,
    load_reference,
    report_of,
    with_clusters,
)
from driftwatch.drift.reference import IMAGE_QUALITY
from driftwatch.storage import open_storage

from .days import a_day, features_of, monitor, put_features


@pytest.fixture
def day(tmp_path) -> DayStore:
    return a_day(open_storage(f"file://{tmp_path}"))


def test_the_kinds_share_the_days_rate(day):
    settings = monitor(day.storage, false_alarm_rate=0.04).config.profiling
    rates = [kind_rate(settings, kind) for kind in ("image_quality", "content", "predictions")]
    assert rates == [0.02, 0.01, 0.01]


def test_a_reference_has_todays_settings_and_the_calibrations_that_fit_them(day):
    Reference.build(features_of(80, 0).drop(columns="image_id"), 0.005).save(day.monitor, "v1")
    reference = load_reference(day.monitor, "v1", IMAGE_QUALITY)
    report_of(day.monitor, "v1", IMAGE_QUALITY, reference, features_of(40, 1))
    assert list(load_reference(day.monitor, "v1", IMAGE_QUALITY).calibrations) == [40]
    other = load_reference(monitor(day.storage, min_images=31), "v1", IMAGE_QUALITY)
    assert (other.min_images, list(other.calibrations)) == (31, [40])
    assert load_reference(monitor(day.storage, seed=9), "v1", IMAGE_QUALITY).calibrations == {}
    finer = load_reference(monitor(day.storage, false_alarm_rate=0.001), "v1", IMAGE_QUALITY)
    assert (finer.false_alarm_rate, finer.calibrations) == (0.0005, {})


def test_a_reference_that_was_built_anew_while_a_day_was_tested_keeps_nothing_of_the_former_one(day):
    Reference.build(features_of(80, 0).drop(columns="image_id"), 0.005).save(day.monitor, "v1")
    former = load_reference(day.monitor, "v1", IMAGE_QUALITY)
    Reference.build(features_of(90, 5).drop(columns="image_id"), 0.005).save(day.monitor, "v1")
    stored = day.storage.read_bytes(day.monitor.keys.reference("v1", IMAGE_QUALITY))
    report_of(day.monitor, "v1", IMAGE_QUALITY, former, features_of(40, 1))
    assert day.storage.read_bytes(day.monitor.keys.reference("v1", IMAGE_QUALITY)) == stored


def test_groups_come_from_the_path_by_the_monitor_files_pattern(day):
    features = features_of(90, 1)
    put_features(day, features)
    by_tens = a_day(day.storage, group_pattern=r"^(\d\d\d)")
    assert with_clusters(by_tens, features)["group"].tolist() == [f"{number // 10:03d}" for number in range(90)]
    each_apart = with_clusters(a_day(day.storage, group_pattern="(x)"), features)["group"]
    assert each_apart.tolist() == [f"{number:04d}.jpg" for number in range(90)]
    assert "group" not in with_clusters(day, features)


def test_hashes_and_contrast_are_those_of_each_image_in_any_order(day):
    features = features_of(5, 1)
    put_features(day, features, phash=[f"{number:016x}" for number in range(5)])
    ids = features["image_id"][::-1].reset_index(drop=True)
    found = with_clusters(day, pd.DataFrame({"image_id": ids}))
    assert found["phash"].tolist() == [f"{number:016x}" for number in reversed(range(5))]
    assert found["image.Brightness.stddev"].tolist() == features["image.Brightness.stddev"][::-1].tolist()


def test_examples_lie_in_the_direction_of_the_drift_and_a_calm_day_has_none():
    reference = Reference.build(pd.DataFrame({"a": np.random.default_rng(0).normal(size=200)}))
    values = np.random.default_rng(1).normal(size=60)
    values[:20] -= 4
    table = pd.DataFrame({"image_id": [f"{number:02d}" for number in range(60)], "a": values})
    shown = examples(table, reference, reference.test(table))
    assert len(shown) == 6
    assert set(shown) <= set(table["image_id"][:20])
    calm = table.assign(a=np.random.default_rng(2).normal(size=60))
    assert examples(calm, reference, reference.test(calm)) == ()


def test_without_a_test_there_are_effects_and_no_p_values():
    reference = Reference.build(pd.DataFrame({"a": np.arange(100.0)}))
    found = features_test(reference.test(pd.DataFrame({"a": np.arange(5.0) + 200})))
    (row,) = found.features
    assert (found.verdict, found.score, found.p_value, found.drifted_features) == (
        "not_enough_evidence",
        None,
        None,
        (),
    )
    assert (row.test, row.statistic, row.p_value, row.effect, row.direction) == ("", None, None, 1.0, "up")
    nothing = features_test(reference.test(pd.DataFrame({"a": np.zeros(0)}))).features[0]
    assert (nothing.effect, nothing.shift, nothing.day_quantiles) == (None, None, ())
