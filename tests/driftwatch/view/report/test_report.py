"""The day's report: complete, and honest about what is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts import base
from driftwatch.artifacts.failure import Failure
from driftwatch.config import MonitorConfig
from driftwatch.errors import MissingArtifact
from driftwatch.storage import Storage
from driftwatch.view.report import write_report

from .pages import DAY, LAYOUT, Page


def test_bad_day_says_what_happened_with_its_numbers(build_day: Callable, report: Callable, storage: Storage) -> None:
    build_day(DAY, accuracy=0.5, damaged=True)
    page = report()
    found = storage.read_json(LAYOUT.day(DAY).performance)
    assert found["verdict"] == "alert"
    assert re.search(
        r"The images changed and the model got worse: accuracy [\d.]+ % \[\d+, \d+\], usually [\d.]+ %, floor 70 %\.",
        page.text,
    )
    assert f"{found['labels']} of {found['sampled']}" in page.text
    for cell in np.ravel(found["confusion_matrix"]["rows"]):
        assert f" {cell} " in page.text
    assert "63 listed = 60 accepted + 1 duplicate + 2 quarantined" in page.text
    assert "a visible pixel grid" in page.text
    assert "people: " in page.text


def test_ignored_files_are_counted_in_the_report_and_come_last(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY, until="drift")
    keys = LAYOUT.day(DAY)
    ingest, manifest = storage.read_json(keys.ingest), storage.read_table(keys.manifest)
    beside = manifest[manifest["status"] == "accepted"].head(30).assign(status="ignored", reason="matches '*.json'")
    storage.write_table(keys.manifest, pd.concat([beside, manifest], ignore_index=True))
    storage.write_json(keys.ingest, {**ingest, "listed": 93, "ignored": 30})
    page = report()
    assert "93 listed = 30 ignored + 60 accepted + 1 duplicate + 2 quarantined" in page.text
    assert "30 ignored" in page.text.split("Images accepted", 1)[1]
    assert page.text.index("not_an_image") < page.text.index("matches '*.json'")


def test_morning_report_needs_no_labels_and_is_renewed_when_they_are_in(build_day: Callable, report: Callable) -> None:
    build_day(DAY, damaged=True, until="drift")
    page = report()
    assert "The images changed (" in page.text
    assert "the model's accuracy is not known yet." in page.text
    assert "How the model did" not in page.text
    build_day(DAY, damaged=True)
    assert "How the model did" in report().text


def test_report_exists_before_the_drift_test_and_not_before_ingest(
    build_day: Callable, report: Callable, storage: Storage, config: MonitorConfig
) -> None:
    with pytest.raises(MissingArtifact, match=r"ingest\.json does not exist"):
        write_report(monitor_store(storage, LAYOUT, config).day(DAY))
    build_day(DAY, until="ingest")
    assert "60 images taken in; nothing is judged yet." in report().text


def test_late_images_are_said_with_what_the_accuracy_then_stands_for(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY)
    assert "late" not in report().text.partition("The last days")[0]
    keys = LAYOUT.day(DAY)
    storage.write_json(keys.ingest, {**storage.read_json(keys.ingest), "late": 12})
    storage.write_json(keys.late_files, {"files": 1})
    said = report().text
    assert "13 images came late" in said
    assert "12 of 60 images came after the day's sample was drawn." in said
    assert "drawn at random from the 48 that were there, and the accuracy is theirs." in said
    assert "1 file came after the day was taken in, and no number here counts" in said


def test_day_that_decides_nothing_is_not_green(build_day: Callable, report: Callable, storage: Storage) -> None:
    build_day(DAY)
    keys = LAYOUT.day(DAY)
    drift, performance = storage.read_json(keys.drift), storage.read_json(keys.performance)
    for feature in drift["features"]:
        feature.update(
            p_value=None, verdict="not_enough_evidence", day_quantiles=[], effect=None, test="", direction="none"
        )
    drift.update(verdict="not_enough_evidence", p_value=None, score=None, drifted_features=[], n=4)
    undefined = {"value": None, "low": None, "high": None, "n": 0, "reason": "no image of the sample has a label"}
    performance.update(verdict="not_enough_evidence", reasons=["0 labels."], labels=0, accuracy=undefined)
    performance["classes"] = {
        name: {"precision": undefined, "recall": undefined, "f1": undefined, "support": 0} for name in ("cat", "dog")
    }
    performance["confusion_matrix"]["rows"] = [[0, 0], [0, 0]]
    performance["agreement"].update(alpha=None, unanimous=None)
    storage.write_json(keys.drift, drift)
    storage.write_json(keys.performance, performance)
    page = report()
    assert (
        "Too few images to judge drift; there is not enough evidence about the model: accuracy not measured"
        in page.text
    )
    badges = [
        attributes["class"] for _, attributes in page.tags if (attributes.get("class") or "").startswith("badge ")
    ]
    assert badges[:2] == ["badge unsure", "badge unsure"]


def test_the_rate_of_false_alarms_is_that_by_which_the_day_was_judged(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY)
    key = LAYOUT.day(DAY).drift
    storage.write_json(key, {**storage.read_json(key), "day_false_alarm_rate": 0.03})
    assert "raise a false alarm with a chance of 3 %." in " ".join(report().text.split())


def test_long_lists_of_rejected_files_are_counted_not_dropped(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    import pandas as pd

    build_day(DAY, until="ingest")
    keys = LAYOUT.day(DAY)
    manifest = storage.read_table(keys.manifest)
    bad = manifest[manifest["status"] == "quarantined"].iloc[:1]
    storage.write_table(
        keys.manifest, pd.concat([manifest, *[bad.assign(key=f"demo/incoming/x/n{i}.jpg") for i in range(40)]])
    )
    assert "and 23 more in manifest.parquet" in report().text  # 43 unused files, 20 shown


def test_accuracy_is_told_as_measured_corrected_and_estimated_with_what_to_believe(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY, accuracy=0.9)
    keys = LAYOUT.day(DAY)
    guess = {"value": 0.86, "low": 0.82, "high": 0.9, "n": 60}
    storage.write_json(keys.estimate, {**samples.ESTIMATE, "accuracy": guess})
    shares = [{"name": "cat", "reference": 0.5, "day": 0.9}, {"name": "dog", "reference": 0.5, "day": 0.1}]
    predictions = {**samples.CONTENT_DRIFT["predictions"], "verdict": "drifted", "classes": shares}
    content = {**samples.CONTENT_DRIFT["content"], "verdict": "ok"}
    storage.write_json(keys.content_drift, {**samples.CONTENT_DRIFT, "content": content, "predictions": predictions})
    found = storage.read_json(keys.performance)
    earlier = {"revision": 1, "verdict": "not_enough_evidence", "accuracy": None, "labels": 0, "model_version": "v1"}
    storage.write_json(keys.performance, {**found, "estimated": guess, "revisions": [earlier]})
    text = report().text
    for name in ("Agreement with the labels", "Corrected for wrong labels", "By the scores alone"):
        assert name in text
    assert "86 % [82, 90]" in text
    assert "Do not trust the estimate from scores today: the model answers cat 90 % and dog 10 %" in text
    assert "On 1 labelled day of this model shown here it was off by" in text
    assert "not enough evidence (0 labels), now" in text


def test_the_morning_report_has_the_estimate_from_scores(
    build_day: Callable, report: Callable, storage: Storage
) -> None:
    build_day(DAY, until="drift")
    guess = {"value": 0.86, "low": 0.82, "high": 0.9, "n": 60}
    storage.write_json(LAYOUT.day(DAY).estimate, {**samples.ESTIMATE, "accuracy": guess, "answers": None})
    text = report().text
    assert "≈ 86 %" in text
    assert "By the scores alone" in text
    assert "Agreement with the labels" not in text


def test_a_failed_day_says_first_where_and_why_and_a_day_that_is_none_has_the_same_bytes(
    build_day: Callable, storage: Storage, config: MonitorConfig
) -> None:
    build_day(DAY)
    key = write_report(monitor_store(storage, LAYOUT, config).day(DAY))
    before = storage.read_bytes(key)
    failure = Failure(task="upload_features", reason="refused: <b>403</b>")
    base.write(storage, LAYOUT.day(DAY).failure, failure)
    page = Page(storage.read_bytes(write_report(monitor_store(storage, LAYOUT, config).day(DAY))).decode())
    assert "The day failed at upload_features. The images" in page.text
    assert "failed at upload_features: refused: <b>403</b>" in page.text
    assert ("header", {"class": "card head bad"}) in page.tags
    storage.delete(LAYOUT.day(DAY).failure)
    assert storage.read_bytes(write_report(monitor_store(storage, LAYOUT, config).day(DAY))) == before


@pytest.mark.parametrize("file", ["features", "inputs_index", "predictions", "labels"])
def test_a_damaged_file_of_a_changed_day_takes_only_its_pictures_and_is_named(
    build_day: Callable, report: Callable, storage: Storage, file: str
) -> None:
    build_day(DAY, damaged=True)
    storage.write_bytes(getattr(LAYOUT.day(DAY), file), b"{broken")
    page = report().text
    assert "The images changed" in page
    assert page.count(getattr(LAYOUT.day(DAY), file)) == 1


@pytest.mark.parametrize("file", ["drift", "features", "manifest", "predictions"])
def test_a_damaged_day_before_gives_no_images_to_compare_with_and_the_report_is_written(
    build_day: Callable, report: Callable, storage: Storage, file: str
) -> None:
    build_day(DAY - timedelta(days=1))
    build_day(DAY, damaged=True)
    storage.write_bytes(getattr(LAYOUT.day(DAY - timedelta(days=1)), file), b"{broken")
    assert "The images changed" in report().text
