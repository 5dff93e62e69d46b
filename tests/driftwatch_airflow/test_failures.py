"""What a failed task leaves behind."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from driftwatch.artifacts.alerts import Alert, RetrainingFailed
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.failures import NO_REASON, reason_of, retraining_failed

RUN = "perf_alert__2026-11-20"


LAYOUT = MonitorKeys("cats_vs_dogs")


def test_a_failed_step_is_told_with_its_reason_and_the_champion_that_serves(monitor, storage, monkeypatch):
    import driftwatch_airflow.failures

    storage.write_json(LAYOUT.champion, {"version": "v0001-00000001"})
    told: list[Alert] = []
    monkeypatch.setattr(driftwatch_airflow.failures, "send_alert", lambda context, monitor, alert: told.append(alert))
    retraining_failed(monitor)(
        {"ti": SimpleNamespace(task_id="train_challenger"), "run_id": RUN, "exception": ValueError("no disk")}
    )
    assert told == [RetrainingFailed(RUN, "train_challenger", "ValueError: no disk", champion="v0001-00000001")]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, NO_REASON),
        (NeedsAttention("raise\nthe limit"), "raise the limit"),
        (ValueError("OAuth AQAD-1234567"), "ValueError: OAuth ***"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        ("Task was terminated", "Task was terminated"),
    ],
)
def test_a_reason_is_one_line_without_secrets(error, said):
    assert reason_of(error) == said
