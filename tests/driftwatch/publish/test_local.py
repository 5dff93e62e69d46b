"""The sink in the monitor's own storage."""

from __future__ import annotations

import pytest

from driftwatch.artifacts.store import MonitorStore
from driftwatch.publish.base import SinkSite
from driftwatch.publish.local import LocalSink, local_sink
from driftwatch.storage import Storage, open_storage

from .doubles import A, B, P, send


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def test_the_local_sink_replaces_a_day(storage):
    sink = LocalSink(storage, "cats", "cats/published")
    send(storage, sink, A)
    send(storage, sink, P, "performance")
    send(storage, sink, B, revise=True)

    assert storage.read_bytes("cats/published/2026-01-02/features.bin") == B
    assert storage.read_bytes("cats/published/2026-01-02/performance.bin") == P


def test_it_lies_in_the_monitors_folder_and_asks_for_no_connection(storage, small_monitor, tmp_path):
    def access(connection, secret):
        raise AssertionError("the local sink needs no connection")

    sink = local_sink(SinkSite(MonitorStore(storage, small_monitor(f"file://{tmp_path}")), access))
    send(storage, sink)
    assert sink.dataset == "demo"
    assert [item.key for item in storage.list("demo")] == ["demo/profiles/2026-01-02/features.bin"]
