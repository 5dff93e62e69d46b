"""The day's drift.json and profile, and the reference of image quality."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta

import numpy as np
import pytest

from driftwatch import seams
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift import Reference
from driftwatch.drift.image_quality import build_image_reference, profile_day, reference_profile
from driftwatch.errors import ConfigError, MissingArtifact
from driftwatch.images.features import COLUMNS
from driftwatch.storage import Storage, open_storage

from .days import a_day, features_of, monitor, put_features


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}")
    build_image_reference(monitor(storage), "v1", features_of(400, 0))
    return storage


def test_a_broken_day_says_what_moved_and_shows_the_images_that_did(storage):
    put_features(a_day(storage), features_of(100, 1, blurred=40))
    drift = profile_day(a_day(storage), "v1")
    assert drift == a_day(storage).read(DayDrift)
    assert (drift.day, drift.verdict, drift.n, drift.reference_version) == (
        date(2026, 3, 4),
        "drifted",
        100,
        "v1",
    )
    assert drift.drifted_features == ("image.Sharpness.laplacian",)
    assert drift.p_value <= drift.false_alarm_rate == 0.005
    assert drift.day_false_alarm_rate == 0.01
    first = drift.features[0]
    assert (first.feature, first.direction) == ("image.Sharpness.laplacian", "down")
    assert len(first.reference_quantiles) == len(first.day_quantiles) == len(drift.quantiles) == 5
    assert first.day_quantiles[1] < first.reference_quantiles[1] - 1
    assert {row.feature for row in drift.features} == set(COLUMNS)
    assert len(set(drift.examples)) == 6
    assert set(drift.examples) <= set(features_of(100, 1)["image_id"][:40])


def test_a_calm_day_is_ok_and_has_no_examples(storage):
    put_features(a_day(storage), features_of(100, 2))
    drift = profile_day(a_day(storage), "v1")
    assert (drift.verdict, drift.drifted_features, drift.examples) == ("ok", (), ())


def test_too_small_a_day_is_not_enough_evidence_in_strict_json(storage):
    put_features(a_day(storage), features_of(12, 3, blurred=12))
    profile_day(a_day(storage), "v1")
    drift = json.loads(storage.read_bytes(a_day(storage).keys.drift))
    assert (drift["verdict"], drift["score"], drift["p_value"]) == ("not_enough_evidence", None, None)
    assert all(row["p_value"] is None and row["verdict"] == "not_enough_evidence" for row in drift["features"])


def test_the_day_written_twice_gives_the_same_bytes_and_the_calibration_is_kept(storage):
    put_features(a_day(storage), features_of(100, 1, blurred=15))
    products = []
    for _ in range(2):
        profile_day(a_day(storage), "v1")
        products.append(
            [
                storage.read_bytes(key)
                for key in (
                    a_day(storage).keys.drift,
                    a_day(storage).keys.feature_profile,
                    monitor(storage).keys.reference("v1"),
                )
            ]
        )
    assert products[0] == products[1]
    assert list(Reference.load(monitor(storage), "v1").calibrations) == [100]


def test_the_profiles_are_whylogs_and_hold_every_image(storage):
    from whylogs.core import DatasetProfileView

    put_features(a_day(storage), features_of(60, 1))
    profile_day(a_day(storage), "v1")
    for key, rows in ((a_day(storage).keys.feature_profile, 60), (monitor(storage).keys.reference_profile("v1"), 400)):
        columns = DatasetProfileView.deserialize(storage.read_bytes(key)).get_columns()
        assert set(columns) == set(COLUMNS)
        assert columns["image.entropy"].get_metric("distribution").n == rows


def test_the_monitor_file_decides_the_rate_and_the_minimum_also_after_the_reference_was_built(storage):
    put_features(a_day(storage), features_of(100, 2))
    assert profile_day(a_day(storage, min_images=101), "v1").verdict == "not_enough_evidence"
    wide = {"image_quality": 0.98, "content": 0.01, "predictions": 0.01}
    drift = profile_day(a_day(storage, false_alarm_rate=0.999, false_alarm_shares=wide), "v1")
    assert (drift.verdict, drift.false_alarm_rate) == ("drifted", pytest.approx(0.97902))


def test_another_seed_in_the_monitor_file_calibrates_anew(storage):
    put_features(a_day(storage), features_of(100, 2))
    profile_day(a_day(storage), "v1")
    before = Reference.load(monitor(storage), "v1").calibrations[100]
    profile_day(a_day(storage, seed=9), "v1")
    assert Reference.load(monitor(storage), "v1").calibrations[100] != before


def test_a_day_that_was_not_taken_in_and_a_version_without_reference_are_named(storage):
    with pytest.raises(MissingArtifact, match=r"features\.parquet"):
        profile_day(a_day(storage), "v1")
    put_features(a_day(storage), features_of(100, 2))
    with pytest.raises(MissingArtifact, match="reference/v7"):
        profile_day(a_day(storage), "v7")


def test_a_burst_counts_once_and_the_report_says_so(storage):
    """30 pictures apart and one broken one, 70 times over: without the hashes it would be a day of 70 broken pictures."""
    day = features_of(100, 1)
    day.loc[30:, list(COLUMNS)] = day.loc[30, list(COLUMNS)].to_numpy(float) - 2
    rng = np.random.default_rng(0)
    hashes = [rng.bytes(8).hex() for _ in range(30)] + [rng.bytes(8).hex()] * 70
    put_features(a_day(storage), day)
    assert profile_day(a_day(storage), "v1").verdict == "drifted"
    put_features(a_day(storage), day, phash=hashes)
    drift = profile_day(a_day(storage), "v1")
    assert (drift.n, drift.effective_n, drift.verdict) == (100, 31, "ok")
    assert profile_day(a_day(storage, min_images=32), "v1").verdict == "not_enough_evidence"


def test_the_distance_that_whylabs_shows_is_there_for_each_feature(storage):
    put_features(a_day(storage), features_of(100, 1, blurred=40))
    drift = profile_day(a_day(storage), "v1")
    assert set(drift.hellinger) == set(COLUMNS)
    assert max(drift.hellinger, key=drift.hellinger.__getitem__) == "image.Sharpness.laplacian"
    assert all(0 < value < 1 for value in drift.hellinger.values())


def test_the_trend_goes_over_the_calm_days_before_and_repeats_to_the_byte(storage):
    days = [a_day(storage, date(2026, 4, 1) + timedelta(days=number)) for number in range(9)]
    for number, day in enumerate(days):
        put_features(day, features_of(60, 100 + number, blurred=40 if number == 4 else 0))
        trend = profile_day(day, "v1").trend
    assert (trend.days, trend.verdict, trend.crossed) == (8, "ok", False)  # the broken day stands for itself
    first, last = days[0], days[-1]
    before = storage.read_bytes(last.keys.drift)
    later = a_day(storage, date(2026, 5, 1))  # a later day is no news for an earlier one
    put_features(later, features_of(60, 1))
    profile_day(later, "v1")
    profile_day(last, "v1")
    assert storage.read_bytes(last.keys.drift) == before
    first.write(first.read(DayDrift).model_copy(update={"reference_version": "v0"}))
    assert profile_day(last, "v1").trend.days == 7


def test_a_damaged_day_before_is_left_out_and_named(storage, caplog):
    before, day = a_day(storage, date(2026, 3, 3)), a_day(storage)
    put_features(day, features_of(60, 1))
    storage.write_json(before.keys.drift, {"day": "2026-03-03", "effective_n": "many"})
    assert profile_day(day, "v1").trend.days == 1
    assert "Left out of what a later day rests on" in caplog.text
    assert "2026-03-03/drift.json" in caplog.text


def test_of_near_duplicates_one_is_in_the_reference_and_all_are_in_its_profile(tmp_path):
    from whylogs.core import DatasetProfileView

    store = monitor(open_storage(f"file://{tmp_path}"))
    hashes = [np.random.default_rng(7).bytes(8).hex()] * 20 + [None] * 60
    reference = build_image_reference(store, "v1", features_of(80, 1).assign(phash=hashes))
    assert (len(reference.features), reference.false_alarm_rate) == (61, 0.005)
    columns = DatasetProfileView.deserialize(store.storage.read_bytes(store.keys.reference_profile("v1"))).get_columns()
    assert columns["image.entropy"].get_metric("distribution").n == 80


def hide_whylogs(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Python 3.13: whoever imports whylogs fails."""
    real = seams.find_spec
    monkeypatch.setattr(seams, "find_spec", lambda name: None if name == "whylogs" else real(name))
    for name in [*sys.modules]:
        if name.partition(".")[0] == "whylogs":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "whylogs", None)


def publishing(day: DayStore, sinks: list[str]) -> DayStore:
    config = MonitorConfig.model_validate({**day.config.model_dump(), "publish": {"sinks": sinks}})
    return MonitorStore(day.storage, config).day(day.date)


def test_without_whylogs_the_verdict_is_the_same_and_there_is_no_profile(storage, tmp_path, monkeypatch):
    put_features(a_day(storage), features_of(100, 1, blurred=40))
    told = profile_day(a_day(storage), "v1")
    hide_whylogs(monkeypatch)
    other = open_storage(f"file://{tmp_path}/other")
    day = publishing(a_day(other), [])
    put_features(day, features_of(100, 1, blurred=40))
    build_image_reference(day.monitor, "v1", features_of(400, 0))
    assert profile_day(day, "v1") == told.model_copy(update={"hellinger": {}})
    assert told.hellinger
    assert not other.exists(day.keys.feature_profile)
    assert not other.exists(day.monitor.keys.reference_profile("v1"))


def test_without_whylogs_a_monitor_that_publishes_is_refused_before_anything_is_written(storage, monkeypatch):
    day = a_day(storage)
    put_features(day, features_of(100, 1))
    hide_whylogs(monkeypatch)
    with pytest.raises(ConfigError, match=r"publish\.sinks needs whylogs.*'driftwatch\[whylogs\]', or .*sinks: \[\]"):
        profile_day(day, "v1")
    with pytest.raises(ConfigError, match="needs whylogs"):
        build_image_reference(day.monitor, "v2", features_of(400, 0))
    assert not storage.exists(day.keys.drift)
    assert not storage.exists(day.monitor.keys.reference_features("v2"))


def test_a_reference_from_before_whylogs_was_installed_gets_the_same_profile_when_it_is_asked_for(storage):
    store = monitor(storage)
    made = storage.read_bytes(store.keys.reference_profile("v1"))
    storage.delete(store.keys.reference_profile("v1"))
    assert reference_profile(store, "v1") == made == storage.read_bytes(store.keys.reference_profile("v1"))
