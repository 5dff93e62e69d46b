"""A monitor's days: what is damaged is named beside what can be read, and a day has the tone of its worst verdict."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, a_day, content, typed
from tests.driftwatch.view.version_days import EIGHT, SEVEN
from tests.stores import monitor_store

from driftwatch.artifacts import base
from driftwatch.artifacts.failure import Failure
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.days import Day, read_days, with_failures

LAYOUT = MonitorKeys("demo")


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(monitor_store(open_storage(f"file://{tmp_path}"), LAYOUT))


def test_what_no_step_has_written_is_absent_and_the_day_is_waiting(artifacts: Artifacts) -> None:
    artifacts.storage.write_json(LAYOUT.day(DAY).ingest, samples.INGEST)
    (found,) = read_days(artifacts)
    assert (found.drift, found.performance, found.tone) == (None, None, "waiting")
    assert found.said == "images not judged yet, model not judged yet"
    assert found.version == samples.INGEST["model_version"]


def test_a_damaged_artifact_is_named_and_the_other_days_are_shown(artifacts: Artifacts) -> None:
    for number in range(3):
        artifacts.storage.write_json(LAYOUT.day(DAY + timedelta(days=number)).ingest, samples.INGEST)
    artifacts.storage.write_bytes(LAYOUT.day(DAY).drift, b"{half")
    artifacts.storage.write_json(LAYOUT.day(DAY).performance, ["no", "object"])
    partial = {name: value for name, value in samples.ESTIMATE.items() if name != "accuracy"}
    artifacts.storage.write_json(LAYOUT.day(DAY).estimate, partial)
    artifacts.storage.write_bytes(f"{LAYOUT.days}/notes/readme.txt", b"not a day")
    found = read_days(artifacts)
    assert [row.day.day for row in found] == [5, 6, 7]
    assert (found[0].tone, found[0].said) == ("bad", "cannot be read")
    names = ["drift.json", "performance.json", "estimate.json"]
    assert [problem.split(":")[0] for problem in found[0].problems] == names
    assert "accuracy: Field required" in found[0].problems[2]
    assert found[0].ingest is not None
    assert found[1].problems == ()


def test_a_year_of_days_does_not_hold_what_only_a_days_own_page_shows(artifacts: Artifacts) -> None:
    keys = LAYOUT.day(DAY)
    artifacts.storage.write_json(keys.drift, samples.DAY_DRIFT)
    versions = {"serving_version": "7", "versions": [SEVEN, EIGHT]}
    artifacts.storage.write_json(keys.performance, {**samples.PERFORMANCE, **versions})
    artifacts.storage.write_json(keys.annotation, samples.PLAN)
    (found,) = read_days(artifacts)
    assert found.drift is not None
    assert found.performance is not None
    assert found.annotation is not None
    assert (found.drift.examples, found.drift.hellinger, found.performance.evidence) == ((), {}, None)
    assert [(row.version, row.evidence) for row in found.performance.versions] == [("7", None), ("8", None)]
    assert found.serving == "7"
    assert (found.annotation.sample, found.annotation.control) == ((), ())
    assert found.annotation.cost.total == samples.PLAN["cost"]["total"]


@pytest.mark.parametrize(
    ("drift", "performance", "tone"),
    [
        ("ok", "ok", "good"), ("drifted", "ok", "warn"), ("drifted", "alert", "bad"), ("ok", "alert", "bad"), (None, "ok", "waiting"),
        ("ok", None, "waiting"), ("not_enough_evidence", "ok", "unsure"), ("ok", "not_enough_evidence", "unsure"), ("drifted", "not_enough_evidence", "warn"),
    ],
)  # fmt: skip
def test_a_day_has_the_tone_of_its_worst_verdict_and_is_good_only_with_both(drift, performance, tone) -> None:
    assert a_day(drift=drift, performance=performance).tone == tone


@pytest.mark.parametrize(
    ("drift", "performance", "said"),
    [
        ("ok", "ok", "images as usual, model holds"),
        ("drifted", "alert", "images changed, model worse"),
        ("not_enough_evidence", "not_enough_evidence", "not enough evidence about the images, not enough evidence about the model"),
        ("ok", None, "images as usual, model not judged yet"),
    ],
)  # fmt: skip
def test_a_day_says_both_verdicts_in_words(drift, performance, said) -> None:
    assert a_day(drift=drift, performance=performance).said == said


def test_a_day_is_not_good_where_content_or_predictions_drifted() -> None:
    found = a_day(drift="ok", performance="ok", content_drift=content("drifted", "ok"))
    assert (found.tone, found.other_drift) == ("warn", ["content"])
    assert found.said == "images as usual, content changed, model holds"


def test_a_day_without_a_usable_image_is_bad() -> None:
    found = Day(DAY, ingest=typed(Ingest, samples.INGEST, accepted=0))
    assert (found.tone, found.said) == ("bad", "no usable image")


def test_a_failed_day_is_bad_says_where_and_why_and_no_more_once_its_newest_run_goes_on(artifacts: Artifacts) -> None:
    keys, lost = LAYOUT.day(DAY), DAY + timedelta(days=2)
    base.write(artifacts.storage, keys.failure, Failure(task="merge_annotations", reason="no answer", run_id="r1"))
    artifacts.storage.write_json(keys.drift, {**samples.DAY_DRIFT, "verdict": "ok"})
    (row,) = read_days(artifacts)
    assert (row.tone, row.said) == ("bad", "failed at merge_annotations: no answer")
    known = Failure(task="merge_annotations", reason="see the log", run_id="r1")
    other = Failure(task="ingest_images", reason="see the log", run_id="r2")
    assert with_failures([row], {}) == [row]  # Airflow forgot the run
    assert with_failures([row], {DAY: [known]}) == [row]
    found = with_failures([row], {DAY: [other], lost: [other], DAY + timedelta(days=1): []})
    assert [(each.day, each.said) for each in found] == [
        (DAY, "failed at ingest_images: see the log"),
        (lost, "failed at ingest_images: see the log"),
    ]
    (again,) = with_failures([row], {DAY: []})
    assert again.failure is None
    assert again.said.endswith("model not judged yet")
