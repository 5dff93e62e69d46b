"""What the evaluation says of files and days beside its own."""

from __future__ import annotations

from datetime import date

import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.models.registry import UnknownVersion
from driftwatch_airflow.operators.performance import EvaluatePerformanceOperator

DAY = "2026-11-20"
LAYOUT = MonitorKeys("cats_vs_dogs")


@pytest.mark.parametrize(
    ("stored", "said"),
    [(b"{half", "is no whole JSON"), (b'{"schema_version": 99}', "has schema_version 99, and this Driftwatch reads 1")],
)
def test_a_later_day_that_cannot_be_read_is_named_and_stops_no_evaluation(delivered, capsys, stored, said):
    delivered.storage.write_bytes(LAYOUT.day(date(2026, 11, 21)).performance, stored)
    assert EvaluatePerformanceOperator(task_id="evaluate", monitor=delivered.monitor, day=DAY)._outdated() == []
    assert f"days/2026-11-21/performance.json {said}" in capsys.readouterr().out


def test_a_model_whose_card_is_gone_fails_at_once_with_the_versions_that_there_are(delivered):
    delivered.storage.write_json(LAYOUT.day(date(2026, 11, 20)).ingest, {**samples.INGEST, "model_version": "v0009-aa"})
    evaluate = EvaluatePerformanceOperator(task_id="evaluate", monitor=delivered.monitor, day=DAY)
    with pytest.raises(UnknownVersion, match="has no version 'v0009-aa'; there are: none"):
        evaluate.execute({})
