"""The day's drift.json and profile, and the detector on real photos with a camera that breaks."""

from __future__ import annotations

import json
from datetime import date, timedelta

import cv2
import numpy as np
import pandas as pd
import pytest
from tests.stores import day_store, monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import ImagesConfig, MonitorConfig
from driftwatch.drift.drift import build_reference, profile_day, with_clusters
from driftwatch.errors import MissingArtifact
from driftwatch.images.decode import decode_image
from driftwatch.images.features import COLUMNS, image_features
from driftwatch.profiling import Reference
from driftwatch.storage import Storage, open_storage

LAYOUT = MonitorKeys("cats")
DAY = LAYOUT.day(date(2026, 3, 4))


def config(**profiling) -> MonitorConfig:
    return MonitorConfig.model_validate(
        {
            "name": "cats",
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-03-01"},
            "storage": {"uri": "file:///unused"},
            "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
            "profiling": profiling,
        }
    )


def table(rows: int, seed: int, blurred: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(rows, len(COLUMNS)))
    values[:, COLUMNS.index("image.Brightness.stddev")] += 50  # pictures with contrast
    values[:blurred, COLUMNS.index("image.Sharpness.laplacian")] -= 3
    features = pd.DataFrame(values, columns=list(COLUMNS))
    features.insert(0, "image_id", [f"{seed:02x}{row:04x}" for row in range(rows)])
    return features


def put_day(storage: Storage, features: pd.DataFrame, day=DAY, **columns) -> None:
    """What ingest leaves of a day: its features, and the manifest with `columns` such as phash."""
    names = [f"{day.incoming}/{number:04d}.jpg" for number in range(len(features))]
    manifest = pd.DataFrame(
        {"key": names, "image_id": features["image_id"], "status": "accepted", "phash": None, **columns}
    )
    storage.write_table(day.manifest, manifest)
    storage.write_table(day.features, features)


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}")
    build_reference(monitor_store(storage, LAYOUT, config()), "v1", table(400, 0))
    return storage


def test_a_broken_day_says_what_moved_and_shows_the_images_that_did(storage):
    put_day(storage, table(100, 1, blurred=40))
    drift = profile_day(day_store(storage, DAY, config()), "v1")
    assert drift == storage.read_json(DAY.drift)
    assert (drift["day"], drift["verdict"], drift["n"], drift["reference_version"]) == (
        "2026-03-04",
        "drifted",
        100,
        "v1",
    )
    assert drift["drifted_features"] == ["image.Sharpness.laplacian"]
    assert drift["p_value"] <= drift["false_alarm_rate"] == 0.005
    assert drift["day_false_alarm_rate"] == 0.01
    first = drift["features"][0]
    assert (first["feature"], first["direction"]) == ("image.Sharpness.laplacian", "down")
    assert len(first["reference_quantiles"]) == len(first["day_quantiles"]) == len(drift["quantiles"]) == 5
    assert first["day_quantiles"][1] < first["reference_quantiles"][1] - 1
    assert {row["feature"] for row in drift["features"]} == set(COLUMNS)
    assert len(set(drift["examples"])) == 6
    assert set(drift["examples"]) <= set(table(100, 1)["image_id"][:40])


def test_a_calm_day_is_ok_and_has_no_examples(storage):
    put_day(storage, table(100, 2))
    drift = profile_day(day_store(storage, DAY, config()), "v1")
    assert (drift["verdict"], drift["drifted_features"], drift["examples"]) == ("ok", [], [])


def test_too_small_a_day_is_not_enough_evidence_in_strict_json(storage):
    put_day(storage, table(12, 3, blurred=12))
    profile_day(day_store(storage, DAY, config()), "v1")
    drift = json.loads(storage.read_bytes(DAY.drift))
    assert (drift["verdict"], drift["score"], drift["p_value"]) == ("not_enough_evidence", None, None)
    assert all(row["p_value"] is None and row["verdict"] == "not_enough_evidence" for row in drift["features"])


def test_the_day_written_twice_gives_the_same_bytes_and_the_calibration_is_kept(storage):
    put_day(storage, table(100, 1, blurred=15))
    products = []
    for _ in range(2):
        profile_day(day_store(storage, DAY, config()), "v1")
        products.append([storage.read_bytes(key) for key in (DAY.drift, DAY.feature_profile, LAYOUT.reference("v1"))])
    assert products[0] == products[1]
    assert list(Reference.load(storage, LAYOUT, "v1").calibrations) == [100]


def test_the_profiles_are_whylogs_and_hold_every_image(storage):
    from whylogs.core import DatasetProfileView

    put_day(storage, table(60, 1))
    profile_day(day_store(storage, DAY, config()), "v1")
    for key, rows in ((DAY.feature_profile, 60), (LAYOUT.reference_profile("v1"), 400)):
        columns = DatasetProfileView.deserialize(storage.read_bytes(key)).get_columns()
        assert set(columns) == set(COLUMNS)
        assert columns["image.entropy"].get_metric("distribution").n == rows


def test_the_monitor_file_decides_the_rate_and_the_minimum_also_after_the_reference_was_built(storage):
    put_day(storage, table(100, 2))
    assert profile_day(day_store(storage, DAY, config(min_images=101)), "v1")["verdict"] == "not_enough_evidence"
    wide = {"image_quality": 0.98, "content": 0.01, "predictions": 0.01}
    drift = profile_day(day_store(storage, DAY, config(false_alarm_rate=0.999, false_alarm_shares=wide)), "v1")
    assert (drift["verdict"], drift["false_alarm_rate"]) == ("drifted", pytest.approx(0.97902))


def test_another_seed_in_the_monitor_file_calibrates_anew(storage):
    put_day(storage, table(100, 2))
    profile_day(day_store(storage, DAY, config()), "v1")
    before = Reference.load(storage, LAYOUT, "v1").calibrations[100]
    profile_day(day_store(storage, DAY, config(seed=9)), "v1")
    assert Reference.load(storage, LAYOUT, "v1").calibrations[100] != before


def test_a_day_that_was_not_taken_in_and_a_version_without_reference_are_named(storage):
    with pytest.raises(MissingArtifact, match=r"features\.parquet"):
        profile_day(day_store(storage, DAY, config()), "v1")
    put_day(storage, table(100, 2))
    with pytest.raises(MissingArtifact, match="reference/v7"):
        profile_day(day_store(storage, DAY, config()), "v7")


def test_a_burst_counts_once_and_the_report_says_so(storage):
    """30 pictures apart and one broken one, 70 times over: without the hashes it would be a day of 70 broken pictures."""
    day = table(100, 1)
    day.loc[30:, list(COLUMNS)] = day.loc[30, list(COLUMNS)].to_numpy(float) - 2
    rng = np.random.default_rng(0)
    hashes = [rng.bytes(8).hex() for _ in range(30)] + [rng.bytes(8).hex()] * 70
    put_day(storage, day)
    assert profile_day(day_store(storage, DAY, config()), "v1")["verdict"] == "drifted"
    put_day(storage, day, phash=hashes)
    drift = profile_day(day_store(storage, DAY, config()), "v1")
    assert (drift["n"], drift["effective_n"], drift["verdict"]) == (100, 31, "ok")
    assert profile_day(day_store(storage, DAY, config(min_images=32)), "v1")["verdict"] == "not_enough_evidence"


def test_groups_come_from_the_path_by_the_monitor_files_pattern(storage):
    day = table(90, 1)
    put_day(storage, day)
    by_tens = config(group_pattern=r"^(\d\d\d)")
    batch = with_clusters(day_store(storage, DAY), day, by_tens.profiling)
    assert batch["group"].tolist() == [f"{number // 10:03d}" for number in range(90)]
    assert (
        profile_day(day_store(storage, DAY, by_tens), "v1")["effective_n"] > 60
    )  # these are no more alike than others
    assert profile_day(day_store(storage, DAY, config(group_pattern="(x)")), "v1")["effective_n"] == 90


def test_the_distance_that_whylabs_shows_is_there_for_each_feature(storage):
    put_day(storage, table(100, 1, blurred=40))
    drift = profile_day(day_store(storage, DAY, config()), "v1")
    assert set(drift["hellinger"]) == set(COLUMNS)
    assert max(drift["hellinger"], key=drift["hellinger"].get) == "image.Sharpness.laplacian"
    assert all(0 < value < 1 for value in drift["hellinger"].values())


def test_the_trend_goes_over_the_calm_days_before_and_repeats_to_the_byte(storage):
    days = [LAYOUT.day(date(2026, 4, 1) + timedelta(days=number)) for number in range(9)]
    for number, day in enumerate(days):
        put_day(storage, table(60, 100 + number, blurred=40 if number == 4 else 0), day)
        drift = profile_day(day_store(storage, day, config()), "v1")
    trend = drift["trend"]
    assert (trend["days"], trend["verdict"], trend["crossed"]) == (8, "ok", False)  # the broken day stands for itself
    before = storage.read_bytes(days[-1].drift)
    put_day(storage, table(60, 1), LAYOUT.day(date(2026, 5, 1)))  # a later day is no news for an earlier one
    profile_day(day_store(storage, LAYOUT.day(date(2026, 5, 1)), config()), "v1")
    profile_day(day_store(storage, days[-1], config()), "v1")
    assert storage.read_bytes(days[-1].drift) == before
    other = {**storage.read_json(days[0].drift), "reference_version": "v0"}
    storage.write_json(days[0].drift, other)
    assert profile_day(day_store(storage, days[-1], config()), "v1")["trend"]["days"] == 7


# --- real photos ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def photos(shared) -> list[np.ndarray]:
    paths = sorted((shared / "photos").glob("*/*"))
    order = np.random.default_rng(0).permutation(len(paths))[:1000]
    return [decode_image(paths[index].read_bytes(), ImagesConfig()).rgb for index in order]


@pytest.fixture(scope="module")
def clean(photos) -> pd.DataFrame:
    return pd.DataFrame([image_features(rgb) for rgb in photos], columns=list(COLUMNS))


@pytest.fixture(scope="module")
def real_reference(clean) -> Reference:
    reference = Reference.build(clean[:700])
    reference.calibration(100)
    return reference


def pixelated(rgb: np.ndarray, scale: float) -> np.ndarray:
    from PIL import Image

    image = Image.fromarray(rgb)
    small = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BOX))


def noisy(rgb: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(rgb.shape[0]).normal(0, sigma * 255, rgb.shape)
    return np.clip(rgb + noise, 0, 255).astype(np.uint8)


CORRUPTIONS = {
    "pixelate_scale_BOX": pixelated,
    "gaussian_noise_sigma_on_0_1": noisy,
    "gaussian_blur_sigma_px": lambda rgb, sigma: cv2.GaussianBlur(rgb, (0, 0), sigma),
}


def test_batches_of_other_clean_photos_raise_no_more_alarms_than_stated(clean):
    """Three references and 40 batches each: about one alarm expected at 1 %."""
    rng = np.random.default_rng(1)
    alarms = 0
    for seed in range(3):
        order = rng.permutation(len(clean))
        reference = Reference.build(clean.iloc[order[:600]], seed=seed)
        for _ in range(40):
            alarms += reference.test(clean.iloc[rng.permutation(order[600:])[:100]]).drifted
    assert alarms <= 6


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_camera_broken_at_severity_1_is_found_with_100_photos_and_with_20_among_100(
    name, photos, clean, real_reference, shared
):
    parameter = json.loads((shared / "corruptions.json").read_text())["imagenet_c_224px"][name][0]
    broken = [image_features(CORRUPTIONS[name](rgb, parameter)) for rgb in photos[700:800]]
    batch = pd.DataFrame(broken, columns=list(COLUMNS))
    report = real_reference.test(batch)
    assert report.drifted
    assert report.features["feature"][0].startswith("image.Sharpness.")
    assert real_reference.test(pd.concat([batch[:20], clean[800:880]])).drifted
