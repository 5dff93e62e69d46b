"""The drift test: one honest false-alarm rate, power where it counts, and effects that say what moved."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from driftwatch.drift import Reference
from driftwatch.errors import DriftwatchError, MissingArtifact
from driftwatch.storage import open_storage

from .days import monitor


def table(rows: int, seed: int, shift: float = 0.0, features: int = 6) -> pd.DataFrame:
    """Correlated, skewed and discrete features of one population; `shift` moves the first in its standard deviations."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(rows, 1))
    values = 0.7 * common + 0.7 * rng.normal(size=(rows, features))
    values[:, 0] += shift
    values[:, 1] = np.exp(values[:, 1])
    values[:, 2] = np.round(values[:, 2])
    values[:, 3] = (values[:, 3] > 0.5) * 500.0
    return pd.DataFrame(values, columns=[f"image.f{number}" for number in range(features)])


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference.build(table(1000, 0))


@pytest.mark.parametrize(
    "n", [50, pytest.param(300, marks=pytest.mark.all_faults("the plain suite has the rate of smaller batches"))]
)
def test_the_false_alarm_rate_is_the_stated_one_over_references_and_batches(n):
    """At a rate of 20 %, 120 tests tell half from one and a half times it. 300 is more than half the reference."""
    alarms = []
    for number in range(12):
        reference = Reference.build(table(400, 1000 + number, features=4), false_alarm_rate=0.2, seed=number)
        alarms += [reference.test(table(n, 5000 + 20 * number + batch, features=4)).drifted for batch in range(10)]
    assert 0.1 <= np.mean(alarms) <= 0.3


def test_a_shift_is_found_named_and_directed(reference):
    report = reference.test(table(100, 1, shift=-1.0))
    assert report.drifted
    assert report.verdict == "drifted"
    assert report.p_value is not None
    assert report.p_value <= 0.01
    first = report.features.iloc[0]
    assert (first["feature"], first["direction"], first["verdict"]) == ("image.f0", "down", "drifted")
    assert first["shift"] == pytest.approx(-1.0, abs=0.35)
    expected = stats.ks_2samp(table(100, 1, shift=-1.0)["image.f0"], reference.features["image.f0"]).statistic
    assert first["effect"] == pytest.approx(expected)
    assert (report.features["verdict"] == "drifted").sum() == 1


def test_a_part_of_the_batch_that_moved_far_is_found_in_the_tail(reference):
    batch = table(100, 2)
    batch.loc[:14, "image.f4"] += 4
    first = reference.test(batch).features.iloc[0]
    assert (first["feature"], first["test"], first["direction"]) == ("image.f4", "high_tail", "up")


def test_the_day_has_drifted_exactly_when_a_feature_has(reference):
    for seed in range(30):
        report = reference.test(table(60, 100 + seed, shift=0.02 * seed))
        assert report.drifted == (report.features["verdict"] == "drifted").any()
        assert report.p_value == report.features["p_value"].min()


def test_the_same_seed_gives_the_same_report_and_another_seed_another_calibration():
    batch = table(77, 3, shift=0.2)
    first, again = (Reference.build(table(300, 0), seed=5).test(batch) for _ in range(2))
    assert (first.score, first.p_value) == (again.score, again.p_value)
    pd.testing.assert_frame_equal(first.features, again.features)
    one, other = (Reference.build(table(300, 0), seed=seed).calibration(77) for seed in (5, 6))
    assert one != other


def test_fewer_images_than_min_images_are_not_enough_evidence(reference):
    report = reference.test(table(29, 4, shift=9))
    assert report.verdict == "not_enough_evidence"
    assert not report.drifted
    assert (report.score, report.p_value) == (None, None)
    assert report.features["p_value"].isna().all()
    assert report.features["effect"].max() > 0.9
    assert reference.test(table(0, 0)).verdict == "not_enough_evidence"


def test_a_constant_says_nothing_until_it_changes():
    features = table(300, 0).assign(constant=500.0)
    reference = Reference.build(features)
    calm = reference.test(table(60, 1).assign(constant=500.0)).features.set_index("feature").loc["constant"]
    assert (calm["p_value"], calm["effect"], calm["direction"], calm["verdict"]) == (1.0, 0.0, "none", "ok")
    report = reference.test(table(60, 1).assign(constant=640.0))
    changed = report.features.iloc[0]
    assert (changed["feature"], changed["direction"], changed["verdict"]) == ("constant", "up", "drifted")


def test_one_odd_value_among_constants_is_no_drift():
    reference = Reference.build(table(300, 0).assign(constant=500.0))
    batch = table(60, 1).assign(constant=500.0)
    batch.loc[0, "constant"] = 1.0
    assert not reference.test(batch).drifted


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (table(49, 0), "49 images"),
        (pd.DataFrame({"image_id": ["a"] * 80}), "0 features"),
        (table(80, 0).assign(bad=np.nan), r"not finite in \['bad'\]"),
    ],
)
def test_a_reference_that_cannot_be_calibrated_is_refused(features, message):
    with pytest.raises(DriftwatchError, match=message):
        Reference.build(features)


@pytest.mark.parametrize("rate", [0, 1, -0.1])
def test_a_false_alarm_rate_outside_zero_and_one_is_refused(rate):
    with pytest.raises(DriftwatchError, match="false_alarm_rate"):
        Reference.build(table(80, 0), false_alarm_rate=rate)


def test_a_batch_without_a_feature_of_the_reference_is_refused_by_name(reference):
    with pytest.raises(DriftwatchError, match=r"image\.f2"):
        reference.test(table(80, 1).drop(columns="image.f2"))
    with pytest.raises(DriftwatchError, match=r"batch.*not finite.*image\.f1"):
        reference.test(table(80, 1).replace({"image.f1": {table(80, 1)["image.f1"][3]: np.inf}}))


def test_ids_and_the_order_of_columns_and_rows_do_not_matter(reference):
    batch = table(90, 7, shift=0.3)
    shuffled = batch.sample(frac=1, random_state=1)[batch.columns[::-1]].assign(image_id="x")
    assert reference.test(shuffled).score == pytest.approx(reference.test(batch).score)


def test_a_saved_reference_tests_alike_from_its_cache_and_from_a_new_calibration(tmp_path):
    store = monitor(open_storage(f"file://{tmp_path}"))
    reference = Reference.build(table(200, 0), false_alarm_rate=0.05, seed=3, min_images=40)
    batch = table(80, 1, shift=0.3)
    report = reference.test(batch)
    reference.save(store, "v1")
    loaded = Reference.load(store, "v1")
    assert loaded.calibrations == reference.calibrations
    assert (loaded.false_alarm_rate, loaded.seed, loaded.min_images) == (0.05, 3, 40)
    loaded_report = loaded.test(batch)
    assert (loaded_report.score, loaded_report.p_value) == (report.score, report.p_value)
    loaded.calibrations.clear()
    assert loaded.test(batch).p_value == report.p_value
    with pytest.raises(MissingArtifact, match=r"reference/v2/reference\.json does not exist"):
        Reference.load(store, "v2")


def test_a_large_training_set_is_kept_as_a_seeded_sample():
    kept = Reference.build(table(6000, 0), seed=1).features
    assert len(kept) == 5000
    pd.testing.assert_frame_equal(kept, Reference.build(table(6000, 0), seed=1).features)


@pytest.mark.parametrize("door", ["driftwatch.drift", "driftwatch.profiling"])
def test_importing_the_package_loads_nothing_heavy(door):
    code = (
        f"import sys, {door} as p; "
        "assert not {'numpy', 'pandas', 'cv2', 'scipy', 'whylogs'} & set(sys.modules); "
        "p.Reference, p.extract_features, p.DriftReport; assert 'cv2' in sys.modules"
    )
    done = run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_small_rate_takes_no_more_memory_at_once_and_gives_the_same_numbers(monkeypatch):
    rng = np.random.default_rng(3)
    made = Reference.build(pd.DataFrame({"a": rng.normal(size=60), "b": rng.normal(size=60)}), 0.002)
    assert made.splits == 10_000
    whole = made.calibration(20)
    monkeypatch.setattr("driftwatch.drift.reference.SPLITS_AT_ONCE", 300)
    assert max(members.nbytes for members in made._random_splits(20)) == 60 * 300
    made.calibrations.clear()
    assert made.calibration(20) == whole
