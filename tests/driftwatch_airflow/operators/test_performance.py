"""What the evaluation says of files and days beside its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from types import SimpleNamespace

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.conftest import day_builder
from tests.driftwatch.view.version_days import answered_by_several

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.nested_keys import lock_of
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models.registry import UnknownVersion
from driftwatch.storage import open_storage
from driftwatch.storage.lock import exclusive
from driftwatch_airflow import episodes
from driftwatch_airflow.operators.performance import EvaluatePerformanceOperator

DAY = "2026-11-20"
LAYOUT = MonitorKeys("cats_vs_dogs")


@pytest.mark.parametrize(
    ("stored", "said"),
    [(b"{half", "is no whole JSON"), (b'{"schema_version": 99}', "has schema_version 99, and this Driftwatch reads 1")],
)
def test_a_later_day_that_cannot_be_read_is_named_and_stops_no_evaluation(delivered, caplog, stored, said):
    delivered.storage.write_bytes(LAYOUT.day(date(2026, 11, 21)).performance, stored)
    assert EvaluatePerformanceOperator(task_id="evaluate", monitor=delivered.monitor, day=DAY)._outdated() == []
    assert f"days/2026-11-21/performance.json {said}" in caplog.text


def test_a_model_whose_card_is_gone_fails_at_once_with_the_versions_that_there_are(delivered):
    delivered.storage.write_json(LAYOUT.day(date(2026, 11, 20)).ingest, {**samples.INGEST, "model_version": "v0009-aa"})
    evaluate = EvaluatePerformanceOperator(task_id="evaluate", monitor=delivered.monitor, day=DAY)
    with pytest.raises(UnknownVersion, match="has no version 'v0009-aa'; there are: none"):
        evaluate.execute({})


def test_a_day_of_two_versions_is_judged_by_the_serving_one_and_reported(tmp_path, small_monitor, monkeypatch):
    monitor = small_monitor(f"file://{tmp_path}/storage")
    storage = open_storage(monitor.storage.uri)
    day_builder(storage, monitor)(date(2026, 1, 5), until="performance")
    day = MonitorStore(storage, monitor).day(date(2026, 1, 5))
    answered_by_several(day, {"7": 0.6, "8": 0.4}, wrong=0.9)
    storage.delete(day.keys.performance)
    told = []
    monkeypatch.setattr(episodes, "send_alert", lambda context, monitor, alert, links: told.append(alert))
    monkeypatch.setattr(episodes, "nothing_to_tell", lambda *_: None)
    operator = EvaluatePerformanceOperator(task_id="evaluate", monitor=monitor, day="2026-01-05")
    found = operator.execute({"ti": SimpleNamespace(xcom_push=lambda key, value: None)})
    stored = day.read(Performance)
    assert [row.version for row in stored.versions] == ["7", "8"]
    assert (found["labels"], found["accuracy"]["value"]) == (stored.labels, stored.accuracy.value)
    assert stored.accuracy.value > stored.versions[1].accuracy.value + 0.3
    assert (found["verdict"], told) == ("ok", [])  # the other version's failure is not the day's
    assert "side by side" in storage.read_bytes(day.keys.report).decode()


def test_a_day_is_scored_by_one_task_at_a_time_and_by_the_labels_that_are_there_then(
    tmp_path, small_monitor, monkeypatch
):
    """A correction and a cleared task at the same time: the earlier labels must not have the last word, and no result is lost."""
    monitor = small_monitor(f"file://{tmp_path}/storage")
    storage = open_storage(monitor.storage.uri)
    day_builder(storage, monitor)(date(2026, 1, 5), until="performance")
    day = MonitorStore(storage, monitor).day(date(2026, 1, 5))
    before = day.read(Performance)
    monkeypatch.setattr(episodes, "send_alert", lambda *_: None)
    monkeypatch.setattr(episodes, "nothing_to_tell", lambda *_: None)
    operator = EvaluatePerformanceOperator(task_id="evaluate", monitor=monitor, day="2026-01-05")
    with ThreadPoolExecutor(1) as pool:
        with exclusive(storage, lock_of(day.keys.labels)):
            scored = pool.submit(operator.execute, {"ti": SimpleNamespace(xcom_push=lambda key, value: None)})
            assert not wait([scored], 2).done
            labels = storage.read_table(day.keys.labels)
            labels.loc[labels.index[:3], ["label", "status"]] = [None, "unclear"]
            storage.write_table(day.keys.labels, labels)
        assert scored.result(60)["labels"] == before.labels - 3
    assert [earlier.labels for earlier in day.read(Performance).revisions] == [before.labels]
