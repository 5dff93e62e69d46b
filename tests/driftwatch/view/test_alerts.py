"""The alerts: one line that says what happened, the numbers, and what to do; for every class there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.artifacts.test_alerts import alerts, made
from tests.driftwatch.view.version_days import EIGHT, SEVEN, performance

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import (
    Alert,
    AnswersDrifted,
    DayAlert,
    ImagesDrifted,
    ModelGotWorse,
    ModelPromoted,
    ModelRolledBack,
    RetrainingFailed,
    SegmentsGotWorse,
    TooFewLabels,
    TooManyUnusable,
    TrainingSetHandedOver,
)
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.mlflow import MovedAlias
from driftwatch.artifacts.models_alerts import MlflowAliasMoved
from driftwatch.artifacts.retraining import GateResult
from driftwatch.artifacts.store import MonitorStore
from driftwatch.publish.outbox import alert_id
from driftwatch.view.alerts import alert_text
from driftwatch.view.versions import lines

DAY = date(2026, 1, 5)
REPORT = {"Report": "s3://bucket/demo/report.html"}
TREND = {
    "verdict": "drifted", "days": 40, "score": 18.2, "limit": 16.6, "false_alarms_per_year": 0.2,
    "feature": "image.Sharpness.laplacian", "direction": "down", "since": "2025-12-20", "crossed": True,
}  # fmt: skip


def gate_with(**accuracies: tuple[float, float]) -> GateResult:
    """The gate of the samples with other accuracies of champion and challenger on its parts."""
    whole = json.loads(json.dumps(samples.GATE))
    for part, (before, after) in accuracies.items():
        whole[part]["champion"]["accuracy"]["value"] = before
        whole[part]["challenger"]["accuracy"]["value"] = after
        whole[part]["n"] = {"recent": 100, "clean": 600}[part]
    return made(GateResult, whole)


# Since then the features have a photographer's names.
RENAMED = {
    "noise, peaks of detail, pixel grid, edges, 8-pixel blocks, entropy": "noise, smooth patches, pixelation, edge contrast, JPEG blocks, tonal variety"
}


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: type(alert).__name__)
def test_every_class_has_a_subject_of_one_line_and_says_what_to_do(alert: Alert) -> None:
    subject, message = alert_text("demo", alert, REPORT)
    assert subject.startswith("[demo 2026-01-08] " if isinstance(alert, DayAlert) else "[demo] ")
    assert "\n" not in subject
    assert len(subject) < 200
    assert "What to do: " in message
    assert message.endswith("\n\nReport: s3://bucket/demo/report.html")
    assert 1 <= sum(line.startswith("  ") for line in message.splitlines()) <= 3 + isinstance(alert, SegmentsGotWorse)
    assert "None" not in message
    assert "{" not in message


def test_words_and_id_of_a_stored_alert_are_those_of_version_0_1_but_for_the_features_names() -> None:
    stored = dict(samples.ALERT)
    for old, new in RENAMED.items():
        stored["message"] = stored["message"].replace(old, new)
    links = dict(line.split(": ", 1) for line in stored["message"].rpartition("\n\n")[2].splitlines())
    alert = ImagesDrifted(date.fromisoformat(samples.DAY), made(DayDrift, samples.DAY_DRIFT))
    assert alert_text(stored["monitor"], alert, links) == (stored["subject"], stored["message"])
    assert alert_id(stored["monitor"], alert) == stored["id"]


def test_an_alert_without_words_is_a_mistake_of_ours_that_says_where_they_belong() -> None:
    with pytest.raises(TypeError, match=r"Alert has no words: register a function for it in driftwatch\.view\.alerts"):
        alert_text("demo", Alert(), {})


def test_ignored_files_are_no_part_of_the_share_of_rejects() -> None:
    counts = {"listed": 150, "ignored": 50, "accepted": 60, "duplicate": 0, "quarantined": 40}
    subject, message = alert_text("demo", TooManyUnusable(DAY, made(Ingest, samples.INGEST, **counts), "3 %"), {})
    assert "40 % of the day's files" in subject
    assert "40 of 100" in subject
    assert "150 listed = 50 ignored + 60 accepted + 0 duplicate + 40 quarantined" in message


def test_a_real_days_alerts_have_its_numbers_and_its_reason(build_day: Callable, storage: Any, config: Any) -> None:
    build_day(DAY, accuracy=0.5, damaged=True)
    day = MonitorStore(storage, config).day(DAY)
    found = day.read(Performance)
    subject, message = alert_text("demo", ModelGotWorse(DAY, found, found.reasons), {})
    assert found.severity == "critical"
    assert f"Critical: the model got worse: accuracy {100 * (found.accuracy.value or 0):.1f}"[:50] in subject
    assert f"labels: {found.labels} of {found.sampled} sampled images" in message
    assert "88.4 % on its holdout" in message
    assert f"\n\nBecause: {found.reasons[0]}" in message

    subject, message = alert_text("demo", ImagesDrifted(DAY, day.read(DayDrift)), {})
    assert "The images changed: " in subject
    assert any(named in subject + message for named in ("hard edges", "pixel grid", "pixelation"))
    assert "p = 0.0002 on 60 images" in message


def test_versions_stand_side_by_side_and_the_model_is_the_serving_one() -> None:
    found = performance(SEVEN, EIGHT, verdict="alert", unpredicted=3)
    _, message = alert_text("demo", ModelGotWorse(DAY, found, found.reasons), {})
    assert f"  model: 7 (registered as {found.model_version}), " in message
    assert f"  versions: {'; '.join(lines(found))}\n" in message
    assert "unanswered, 50 of other versions, 3 without an answer)" in message


def test_labels_that_do_not_stand_for_the_whole_day_say_so() -> None:
    part = {"images": 1000, "of": 3000, "reason": "the day's limit is spent"}
    found = made(Performance, samples.PERFORMANCE, stands_for=part)
    for alert in (ModelGotWorse(DAY, found, found.reasons), TooFewLabels(DAY, found)):
        said = "; they stand for 1,000 of 3,000 images, since the others came late and nobody was asked about them (the day's limit is spent)"
        assert said in alert_text("demo", alert, {})[1]


def test_too_few_labels_say_why() -> None:
    found = made(Performance, samples.NO_LABELS, labels=0)
    subject, message = alert_text("demo", TooFewLabels(DAY, found), {})
    assert subject == "[demo 2026-01-05] Not enough evidence about the model: 0 labels, accuracy not measured"
    assert f"Because: {' '.join(found.reasons)}" in message


def test_a_promotion_tells_the_accuracy_before_and_after() -> None:
    gate = gate_with(recent=(0.62, 0.8), clean=(0.905, 0.9))
    _, message = alert_text("demo", ModelPromoted("perf_alert__2026-01-05", "v2", gate), {})
    assert "on recent days: 62 % → 80 % of 100 images" in message
    assert "on clean images: 90.5 % → 90 % of 600 images" in message


def test_a_promotion_says_what_becomes_of_the_days_that_it_was_for() -> None:
    gate, days = gate_with(recent=(0.6, 0.8), clean=(0.9, 0.9)), (date(2026, 1, 8), date(2026, 1, 9))
    promoted = ModelPromoted("r", "v2", gate, retrained_days=days)
    _, asks = alert_text("demo", promoted, {})
    assert "whether the change of 2026-01-08 and 2026-01-09 is there to stay" in asks
    assert "driftwatch reference accept MONITOR.yaml --days 2026-01-08..2026-01-09" in asks
    _, done = alert_text("demo", replace(promoted, accepted="2026-01-08_2026-01-09"), {})
    assert "2026-01-08 and 2026-01-09 are usual from now on, as the state 2026-01-08_2026-01-09" in done
    assert "driftwatch reference withdraw MONITOR.yaml 2026-01-08_2026-01-09" in done


def test_a_failed_retraining_names_the_step_the_reason_and_what_serves() -> None:
    links = {
        "Monitor page": "https://a.example/driftwatch/m/demo/models",
        "Airflow run": "https://a.example/dags/d/runs/r",
    }
    failed = RetrainingFailed("r", "collect_training_set", "12 labels;\nneeds 30", "v1")
    _, message = alert_text("demo", failed, links)
    assert "  failed: collect_training_set\n  reason: 12 labels; needs 30\n  serving: v1, as before\n" in message
    assert message.endswith(
        "\n\nMonitor page: https://a.example/driftwatch/m/demo/models\nAirflow run: https://a.example/dags/d/runs/r"
    )
    subject, _ = alert_text("demo", replace(failed, champion=None), {})
    assert subject == "[demo] Retraining failed; the champion is still to be registered"


def test_a_hand_over_says_where_the_set_lies_who_is_triggered_and_how_the_model_comes_back() -> None:
    found = made(Handover, samples.HANDOVER)
    subject, message = alert_text("demo", TrainingSetHandedOver("r", found, "ours"), {})
    assert subject == "[demo] A training set of 600 images was handed over"
    assert f"set: {found.place}; its DAG ours was triggered" in message
    assert f"serving: {found.champion}, as before" in message
    assert f"driftwatch challenger register MONITOR.yaml FILE --run {found.run_key}`" in message
    _, message = alert_text("demo", TrainingSetHandedOver("r", found, None), {})
    assert "no DAG was triggered (retraining.handover_dag)" in message


@pytest.mark.parametrize(
    ("version", "shows", "how"),
    [
        (None, "which is none of Driftwatch's", "`driftwatch champion import MONITOR.yaml models:/cats/9 --replace`"),
        ("v0001-00000001", "which shows v0001-00000001", "`driftwatch champion rollback MONITOR.yaml --to v0001-00000001`"),
    ],
)  # fmt: skip
def test_a_moved_alias_says_from_where_to_where_how_to_follow_and_how_to_put_it_back(
    version: str | None, shows: str, how: str
) -> None:
    moved = MovedAlias(stands_at="9", version=version, found_at="v0002-00000002")
    subject, message = alert_text("demo", MlflowAliasMoved("cats", "3", moved), {})
    assert subject == "[demo] MLflow's alias champion of cats was moved from version 3 to 9"
    assert "  from: version 3, which shows v0002-00000002; it is still the champion here\n" in message
    assert f"  to: version 9, {shows}\n" in message
    assert how in message
    assert '`MlflowClient().set_registered_model_alias("cats", "champion", "3")`' in message


def test_a_drift_alert_says_which_kind() -> None:
    content = {**samples.CONTENT_DRIFT["content"], "verdict": "drifted", "p_value": 0.0002, "n": 100, "effective_n": 61}
    content["features"] = [
        {**samples.DAY_DRIFT["features"][0], "feature": "distance", "direction": "up", "verdict": "drifted"}
    ]
    shares = [{"name": "cat", "reference": 0.5, "day": 0.89}, {"name": "dog", "reference": 0.5, "day": 0.11}]
    predictions = {**samples.CONTENT_DRIFT["predictions"], "verdict": "drifted", "p_value": 0.0001, "classes": shares}
    drift = made(
        ContentDrift, samples.CONTENT_DRIFT, content={**content, "reference_of_mix": 214}, predictions=predictions,
        reference_images=400, reference_version="v1", day_false_alarm_rate=0.01,
    )  # fmt: skip
    subject, message = alert_text("cats", AnswersDrifted(DAY, drift), {})
    assert "The content changed (images unlike those that the model was tested on)" in subject
    assert "cat 50 % → 89 %" in subject
    assert "on 100 images, worth 61 independent ones (bursts or groups), against the 214 reference images" in message
    assert "400 held-out images of model v1" in message
    assert "with a chance of 1 %" in message


def test_a_drift_of_the_predictions_says_of_which_version() -> None:
    of = samples.CONTENT_DRIFT["predictions"]
    rows = [
        {**of, "version": name, "n": n, "verdict": verdict}
        for name, n, verdict in (("7", 900, "ok"), ("8", 100, "drifted"))
    ]
    found = made(ContentDrift, {**samples.CONTENT_DRIFT, "predictions": {**of, "verdict": "drifted"}}, versions=rows)
    _, message = alert_text("demo", AnswersDrifted(DAY, found), {})
    assert "  versions: predictions of 7 (900 images, 90 %) as usual, 8 (100 images, 10 %) changed\n" in message


def test_a_slow_change_is_told_as_one() -> None:
    calm = {"verdict": "ok", "drifted_features": [], "features": [], "trend": TREND}
    subject, message = alert_text("cats", ImagesDrifted(DAY, made(DayDrift, samples.DAY_DRIFT, **calm)), {})
    assert "The images change slowly: sharpness falls slowly, about since 2025-12-20" in subject
    assert "CUSUM 18.2, alarm above 16.6" in message


def test_line_breaks_from_outside_cannot_break_the_subject() -> None:
    rolled_back = ModelRolledBack("manual", "v2\nBcc: all@example.org", "v1")
    subject, message = alert_text("demo", rolled_back, {})
    assert subject == "[demo] Model v2 Bcc: all@example.org is the champion again, instead of v1"
    assert "Report:" not in message
