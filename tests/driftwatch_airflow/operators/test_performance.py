"""What the evaluation says of files and days beside its own."""

from __future__ import annotations

from datetime import date

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch_airflow.operators.performance import EvaluatePerformanceOperator

DAY = "2026-11-20"


LAYOUT = MonitorKeys("cats_vs_dogs")


def test_a_later_day_that_is_damaged_is_named_and_stops_no_evaluation(delivered, capsys):
    delivered.storage.write_bytes(LAYOUT.day(date(2026, 11, 21)).performance, b"{half")
    assert EvaluatePerformanceOperator(task_id="evaluate", monitor=delivered.monitor, day=DAY)._outdated() == []
    assert "days/2026-11-21/performance.json is no whole JSON" in capsys.readouterr().out
