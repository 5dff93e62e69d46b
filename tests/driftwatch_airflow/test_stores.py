"""The one place that opens a storage for tasks, pages and tools."""

from __future__ import annotations

import pytest

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.monitor import MonitorOperator
from driftwatch_airflow.stores import storage_at, store_of


def test_a_storage_connection_that_does_not_exist_is_no_reason_for_other_credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "else")
    with pytest.raises(NeedsAttention, match=r"'gone', which storage\.connection names"):
        storage_at("s3://bucket/prefix", "gone")


def test_a_monitors_storage_and_keys_are_those_of_its_file(monitor, tmp_path):
    store = store_of(monitor)
    assert store.config is monitor
    store.storage.write_bytes(store.keys.champion, b"{}")
    assert (tmp_path / "cats_vs_dogs" / "models" / "champion.json").read_bytes() == b"{}"


def test_a_task_knows_its_keys_without_a_connection(monitor):
    on_s3 = monitor.storage.model_copy(update={"uri": "s3://bucket/prefix", "connection": "gone"})
    elsewhere = monitor.model_copy(update={"storage": on_s3})
    task = MonitorOperator(task_id="gate", monitor=elsewhere)
    assert task.monitor_keys.champion == "cats_vs_dogs/models/champion.json"
    with pytest.raises(NeedsAttention, match="'gone'"):
        store_of(elsewhere)
