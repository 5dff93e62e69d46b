"""Another mix of classes is no change of the images: it is compared with a reference of its own mix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.drift import Reference
from driftwatch.drift.class_mix import rows_of_the_days_mix
from driftwatch.storage import open_storage

from .days import monitor

FEATURES = [f"image.f{number}" for number in range(4)]


def images(n: int, seed: int, dogs: float, blurred: float = 0.0) -> pd.DataFrame:
    """Cats and dogs that differ by a standard deviation in two features; `blurred` lowers another one of every image."""
    rng = np.random.default_rng(seed)
    is_dog = rng.permutation(np.arange(n) < round(dogs * n))
    values = rng.normal(size=(n, 4))
    values[:, :2] += is_dog[:, None]
    values[:, 3] -= blurred
    return pd.DataFrame(values, columns=FEATURES).assign(prediction=np.where(is_dog, "dog", "cat"))


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.build(images(800, 0, 0.5), 0.1)


@pytest.mark.all_faults("it tests forty days against eight references")
def test_a_day_with_another_mix_keeps_the_stated_false_alarm_rate():
    found, blind = [], []
    for number in range(8):
        reference = Reference.build(images(600, number, 0.5), 0.1, seed=number)
        for batch in range(5):
            day = images(100, 1000 + 10 * number + batch, 0.8)
            found.append(reference.test(day).drifted)
        blind.append(reference.test(day.drop(columns="prediction")).drifted)
    assert 0.01 <= np.mean(found) <= 0.24  # 10 % within three standard errors, of 40 days
    assert np.mean(blind) > 0.6


def test_a_change_of_the_images_is_seen_beside_another_mix(reference):
    report = reference.test(images(100, 1, 0.8, blurred=1.0))
    assert report.drifted
    assert report.features.iloc[0]["feature"] == "image.f3"
    assert report.features.query("verdict == 'drifted'")["feature"].tolist() == ["image.f3"]


def test_the_usual_mix_is_compared_with_the_whole_reference_and_another_with_as_much_as_has_its_shares(reference):
    assert reference.test(images(100, 1, 0.52)).reference_of_mix is None
    assert reference.test(images(100, 1, 0.8)).reference_of_mix == 500  # all 400 dogs and 100 cats
    assert reference.test(images(100, 1, 1.0)).reference_of_mix == 400
    assert not reference.test(images(100, 1, 1.0)).drifted


def test_a_calibration_for_another_mix_is_not_kept_for_days_of_the_usual_one(reference):
    before = dict(reference.calibrations)
    first = reference.test(images(77, 1, 0.9))
    assert reference.calibrations == before
    assert reference.test(images(77, 1, 0.9)).p_value == first.p_value


def test_near_duplicates_count_once_in_the_mix(reference):
    day = images(100, 1, 0.5)
    dog = day[day["prediction"] == "dog"].iloc[[0] * 70]
    rng = np.random.default_rng(0)
    hashes = [rng.bytes(8).hex() for _ in range(100)] + ["00ff" * 4] * 70
    report = reference.test(pd.concat([day, dog], ignore_index=True).assign(phash=hashes))
    assert (report.reference_of_mix, report.effective_n) == (None, 101)


def test_a_class_that_became_frequent_leaves_half_of_the_reference():
    day, reference = np.array(["cat"] * 50 + ["fox"] * 50), np.array(["cat"] * 390 + ["fox"] * 10)
    rows = rows_of_the_days_mix(day, reference, np.ones(100), 0)
    assert (reference[rows] == "fox").sum() == 10
    assert (reference[rows] == "cat").sum() == 100


def test_classes_that_the_reference_does_not_know_leave_it_whole():
    assert rows_of_the_days_mix(np.array(["fox"] * 50), np.array(["cat"] * 100), np.ones(50), 0) is None


def test_too_few_images_of_the_days_classes_leave_the_reference_whole():
    reference = Reference.build(images(120, 0, 0.25))
    assert reference.test(images(60, 1, 1.0)).reference_of_mix is None


def test_a_saved_reference_knows_its_classes_and_one_of_an_earlier_version_goes_without(tmp_path, reference):
    store = monitor(open_storage(f"file://{tmp_path}"))
    reference.save(store, "v1")
    day = images(100, 1, 0.8)
    loaded = Reference.load(store, "v1")
    assert loaded.test(day).p_value == reference.test(day).p_value
    assert list(loaded.features.columns) == FEATURES
    Reference.build(reference.features, 0.1).save(store, "v2")
    assert Reference.load(store, "v2").test(day).reference_of_mix is None


def test_a_sample_of_a_large_reference_and_one_without_near_duplicates_keep_each_images_class():
    many = images(5200, 0, 0.5)
    many.loc[many["prediction"] == "dog", "image.f0"] += 100
    many["phash"] = [f"{number:016x}" for number in np.random.default_rng(0).integers(0, 2**62, len(many))]
    reference = Reference.build(pd.concat([many, many.iloc[:100]]))
    assert len(reference.features) == 5000
    assert ((reference.features["image.f0"] > 50) == (reference.classes == "dog")).all()
