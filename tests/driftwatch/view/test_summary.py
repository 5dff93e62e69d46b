"""The alerts: one line that says what happened, the numbers, and what to do; for every kind there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import get_args

import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import AlertKind
from driftwatch.errors import DriftwatchError
from driftwatch.storage import Storage
from driftwatch.view.summary import alert_text

DAY = date(2026, 1, 5)
KEYS = MonitorKeys("demo").day(DAY)


def gate_part(n: int, before: float, after: float) -> dict:
    return {"n": n, "champion": {"accuracy": {"value": before}}, "challenger": {"accuracy": {"value": after}}}


@pytest.fixture
def facts(build_day: Callable, storage: Storage) -> Callable[[str], dict]:
    """What the operators hand over for each kind, from a day's real artifacts."""
    build_day(DAY, accuracy=0.5, damaged=True)
    common = {"monitor": "demo", "day": DAY.isoformat(), "report": "s3://bucket/demo/report.html"}
    per_kind = {
        "drift": storage.read_json(KEYS.drift),
        "performance": storage.read_json(KEYS.performance),
        "too_few_labels": storage.read_json(KEYS.performance),
        "short_pool": {
            "reason": "the pool ended with EXPIRED",
            "answered_images": 70,
            "images": 150,
            "answers": 200,
            "answers_wanted": 450,
        },
        "empty_day": {"reason": "no object below incoming/2026-01-05"},
        "too_many_rejects": {**storage.read_json(KEYS.ingest), "reason": "3 % > 2 %"},
        "day_failed": {"task": "merge_annotations", "reason": "no answer", "advice": "See its log."},
        "retraining_failed": {"task": "collect_training_set", "reason": "12 labels;\nneeds 30", "champion": "v1"},
        "model_promoted": {
            "version": "v2",
            "run_id": "perf_alert__2026-01-05",
            "gate": {"recent": gate_part(100, 0.62, 0.8), "clean": gate_part(600, 0.905, 0.9)},
        },
        "model_rolled_back": {"version": "v1", "previous": "v2", "run_id": "manual__1"},
    }
    return lambda kind: {**common, **per_kind[kind]}


def test_ignored_files_are_no_part_of_the_share_of_rejects(facts: Callable) -> None:
    counts = {"listed": 150, "ignored": 50, "accepted": 60, "duplicate": 0, "quarantined": 40}
    subject, message = alert_text("too_many_rejects", {**facts("too_many_rejects"), **counts})
    assert "40 % of the day's files" in subject
    assert "40 of 100" in subject
    assert "150 listed = 50 ignored + 60 accepted + 0 duplicate + 40 quarantined" in message


def test_every_kind_has_a_subject_of_one_line_and_says_what_to_do(facts: Callable) -> None:
    for kind in get_args(AlertKind):
        subject, message = alert_text(kind, facts(kind))
        assert subject.startswith("[demo 2026-01-05] "), kind
        assert "\n" not in subject, kind
        assert len(subject) < 200, kind
        assert "What to do: " in message, kind
        assert message.endswith("Report: s3://bucket/demo/report.html"), kind
        assert 1 <= sum(line.startswith("  ") for line in message.splitlines()) <= 3, kind
        assert "None" not in message, kind
        assert "{" not in message, kind


def test_performance_alert_has_the_three_numbers_and_the_reason(facts: Callable) -> None:
    found = facts("performance")
    subject, message = alert_text("performance", found)
    assert found["severity"] == "critical"
    assert f"Critical: the model got worse: accuracy {100 * found['accuracy']['value']:.1f}"[:50] in subject
    assert f"labels: {found['labels']} of {found['sampled']} sampled images" in message
    assert "88.4 % on its holdout" in message
    assert found["reasons"][0] in message


def test_a_promotion_tells_the_accuracy_before_and_after(facts: Callable) -> None:
    _, message = alert_text("model_promoted", facts("model_promoted"))
    assert "on recent days: 62 % → 80 % of 100 images" in message
    assert "on clean images: 90.5 % → 90 % of 600 images" in message


def test_a_failed_retraining_names_the_step_the_reason_and_what_serves(facts: Callable) -> None:
    links = {
        "Monitor page": "https://a.example/driftwatch/m/demo/models",
        "Airflow run": "https://a.example/dags/d/runs/r",
    }
    _, message = alert_text("retraining_failed", {**facts("retraining_failed"), "links": links})
    assert "  failed: collect_training_set\n  reason: 12 labels; needs 30\n  serving: v1, as before\n" in message
    assert (
        "\n\nMonitor page: https://a.example/driftwatch/m/demo/models\nAirflow run: https://a.example/dags/d/runs/r\n"
        in message
    )


def test_drift_alert_names_how_the_images_look(facts: Callable) -> None:
    subject, message = alert_text("drift", facts("drift"))
    assert "The images changed: " in subject
    assert "hard edges" in subject + message or "grid" in subject + message
    assert "p = 0.0002 on 60 images" in message


def test_line_breaks_from_outside_cannot_break_the_subject() -> None:
    subject, message = alert_text(
        "model_promoted", {"monitor": "demo", "version": "v2\nBcc: all@example.org", "run_id": "manual"}
    )
    assert subject == "[demo] Model v2 Bcc: all@example.org is the new champion"
    assert "Report:" not in message


def test_unknown_kind_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(DriftwatchError, match="'surprise': allowed are drift, performance"):
        alert_text("surprise", {})
