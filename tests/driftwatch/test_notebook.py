from __future__ import annotations

import doctest
import inspect
import shutil
from datetime import date, datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import driftwatch
from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.errors import ConfigError, DamagedArtifact, DriftwatchError, MissingArtifact
from driftwatch.models.metrics import measure
from driftwatch.notebook import accuracy_of, list_days, load_day

ROOT = Path(__file__).parents[2]
MONITOR = ROOT / "tests/data/artifacts_0_1/cats_vs_dogs"
DAY = date(2026, 1, 8)


@pytest.fixture
def copy(tmp_path) -> Path:
    """The monitor's folder, to be changed."""
    return Path(shutil.copytree(MONITOR, tmp_path / "cats_vs_dogs"))


@pytest.mark.parametrize("name", driftwatch.__all__)
def test_each_public_name_has_an_example_that_gives_what_it_says(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    told: list[str] = []
    found = getattr(driftwatch, name)
    module = inspect.getmodule(found)
    [test] = [test for test in doctest.DocTestFinder().find(found, name, module) if test.name == name]
    assert test.examples
    result = doctest.DocTestRunner().run(test, out=told.append)
    assert not result.failed, "".join(told)


# Days


def test_a_day_is_the_same_by_path_address_and_monitor_file(copy, monkeypatch):
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{copy.parent}")
    file = ROOT / "include/monitors/cats_vs_dogs.yaml"
    for monitor in (copy, str(copy), f"{copy}/", f"file://{copy}", file, str(file)):
        assert list_days(monitor) == [DAY]
        day = load_day(monitor, DAY)
        assert (day.date, day.ingest.listed, len(day.predictions)) == (DAY, 480, 480)


@pytest.mark.parametrize("day", [DAY, "2026-01-08", datetime(2026, 1, 8, 23, tzinfo=timezone.utc), pd.Timestamp(DAY)])
def test_a_day_is_a_date_a_text_or_a_time(day):
    assert load_day(MONITOR, day).date == DAY


def test_each_artifact_of_the_day_is_there_and_read_once(copy):
    day = load_day(copy, "2026-01-08")
    there = ("ingest", "drift", "content_drift", "estimate", "annotation", "performance")
    assert {name: getattr(day, name).file for name in there} == {name: f"{name}.json" for name in there}
    rows = {name: len(getattr(day, name)) for name in ("manifest", "features", "predictions", "labels", "annotators")}
    assert rows == {"manifest": 480, "features": 480, "predictions": 480, "labels": 440, "annotators": 19}
    assert len(day.assignments) == 1467
    shutil.rmtree(copy)
    assert day.ingest.accepted == len(day.features)


def test_what_no_step_has_written_is_none_and_labelled_says_which_step(copy):
    folder = copy / "days/2026-01-08"
    (folder / "estimate.json").unlink()
    (folder / "predictions.parquet").unlink()
    day = load_day(copy, DAY)
    assert day.estimate is None
    assert day.predictions is None
    with pytest.raises(MissingArtifact, match=r"2026-01-08 has no predictions\.parquet yet.*predict_labels"):
        _ = day.labelled
    (folder / "labels.parquet").unlink()
    with pytest.raises(MissingArtifact, match=r"has no labels\.parquet yet.*merge_annotations"):
        _ = load_day(copy, DAY).labelled


def test_a_damaged_artifact_is_refused_by_name(copy):
    (copy / "days/2026-01-08/drift.json").write_text("{")
    with pytest.raises(DamagedArtifact, match=r"drift\.json"):
        _ = load_day(copy, DAY).drift


def test_a_forgotten_image_that_the_day_has_no_more_is_not_among_the_labelled(copy):
    folder, before = copy / "days/2026-01-08", load_day(copy, DAY).labelled
    name, gone = f"{FORGOTTEN}{'0' * 48}", before.index[3]
    labels, predictions = (pd.read_parquet(folder / f"{table}.parquet") for table in ("labels", "predictions"))
    labels.assign(image_id=labels["image_id"].replace(gone, name)).to_parquet(folder / "labels.parquet")
    predictions[predictions["image_id"] != gone].to_parquet(folder / "predictions.parquet")
    found = load_day(copy, DAY).labelled
    assert len(found) == len(before) - 1
    assert found["prediction"].notna().all()


def test_labelled_gives_the_accuracy_that_the_day_measured():
    day = load_day(MONITOR, DAY)
    found = accuracy_of(day.labelled["label"], day.labelled["prediction"], ["cat", "dog"])
    stored = day.performance
    assert (found.value, found.low, found.high, found.n) == (*stored.accuracy.numbers, stored.labels)
    assert found.confusion.to_numpy().tolist() == [list(row) for row in stored.confusion_matrix.rows]
    assert found.per_class.loc["dog", "f1_high"] == stored.classes["dog"].f1.high


def test_a_day_that_is_not_there_is_refused_with_those_that_are(copy):
    with pytest.raises(MissingArtifact, match=r"cats_vs_dogs/days has no day 2026-01-09: the first is 2026-01-08"):
        load_day(copy, "2026-01-09")
    with pytest.raises(MissingArtifact, match="it has none at all"):
        load_day(copy.parent / "dogs", DAY)


@pytest.mark.parametrize("day", ["8 January", "2026-1-8", "20260108", ""])
def test_a_text_that_is_no_day_is_refused(day):
    with pytest.raises(DriftwatchError, match="a day is expected, like 2026-01-08"):
        load_day(MONITOR, day)


def test_a_bad_monitor_file_or_address_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no such monitor file"):
        load_day(tmp_path / "none.yaml", DAY)
    with pytest.raises(DriftwatchError, match="allowed are file:///absolute/folder"):
        load_day("ftp://host/cats_vs_dogs", DAY)


# Accuracy


def test_series_are_matched_by_index_and_lists_by_position():
    labels = pd.Series({"c": "dog", "a": "cat", "b": None, "d": np.nan})
    predictions = pd.Series({"a": "cat", "b": "dog", "c": "cat", "d": "cat", "unlabelled": "dog"})
    by_index = accuracy_of(labels, predictions)
    assert (by_index.value, by_index.n) == (0.5, 2)
    assert by_index.confusion.to_numpy().tolist() == [[1, 0], [1, 0]]
    by_place = accuracy_of(labels.tolist(), ["dog", "cat", "cat", "cat"])
    assert (by_place.value, by_place.n) == (1.0, 2)


def test_the_intervals_are_those_of_the_day_at_the_wanted_confidence():
    truth, answers = ["a"] * 30 + ["b"] * 10, ["a"] * 25 + ["b"] * 15
    found, wanted = accuracy_of(truth, answers, ["b", "a"], 0.8), measure(truth, answers, ["b", "a"], 0.8)
    assert (found.value, found.low, found.high) == wanted.accuracy.numbers
    assert found.confidence == 0.8
    assert list(found.per_class.index) == list(found.confusion.columns) == ["b", "a"]
    assert found.per_class.loc["a", "recall_low"] == wanted.classes["a"].recall.low


def test_a_share_of_nothing_is_nan():
    found = accuracy_of(["cat", "cat"], ["cat", "cat"], ["cat", "dog"])
    assert np.isnan(found.per_class.loc["dog", ["precision", "recall_low", "f1"]].to_numpy(float)).all()
    assert found.per_class["support"].tolist() == [2, 0]
    assert found.confusion.to_numpy().dtype == "int64"


@pytest.mark.parametrize(
    ("labels", "predictions", "more", "message"),
    [
        (["cat"], ["cat", "dog"], {}, "1 labels and 2 predictions"),
        ([None], ["cat"], {}, "no image has a label"),
        (["cat"], ["cow"], {"classes": ["cat", "dog"]}, "'cow': none of the classes 'cat', 'dog'"),
        (["cat"], ["cat"], {"confidence": 95}, "confidence is 95; it must lie between 0 and 1"),
        (
            pd.Series({"a": "cat", "b": "cat"}),
            pd.Series({"a": "cat"}),
            {},
            "1 labels have no prediction, the first at 'b'",
        ),
        (pd.Series(["cat"] * 2, ["a", "a"]), pd.Series({"a": "cat"}), {}, "labels have 'a' twice in their index"),
        (pd.Series({"a": "cat"}), pd.Series(["cat"] * 2, ["a", "a"]), {}, "predictions have 'a' twice in their index"),
    ],
)
def test_what_cannot_be_paired_is_refused(labels, predictions, more, message):
    with pytest.raises(DriftwatchError, match=message):
        accuracy_of(labels, predictions, **more)
