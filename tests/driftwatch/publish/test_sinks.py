"""Sinks by name: those that are built in, those that an installed package brings, and names that lead nowhere."""

from __future__ import annotations

import pytest

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.publish import BUILT_IN_SINKS
from driftwatch.credentials import Access
from driftwatch.errors import ConfigError
from driftwatch.publish.base import SinkSite
from driftwatch.publish.sinks import sink_of, sinks_of
from driftwatch.storage import open_storage

SINK = """
class Warehouse:
    name, organisation, delete_wait_seconds = "warehouse", "us", 0.0

    def __init__(self, site):
        self.dataset = site.store.config.name


def warehouse(site):
    return Warehouse(site)
"""


@pytest.fixture
def package(tmp_path, monkeypatch) -> None:
    """An installed package with the entry points `warehouse`, and `broken`, whose function is not there."""
    folder = tmp_path / "site-packages"
    info = folder / "warehouse_sink-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "warehouse_sink.py").write_text(SINK)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: warehouse-sink\nVersion: 1.0\n")
    entries = "[driftwatch.sinks]\nwarehouse = warehouse_sink:warehouse\nbroken = warehouse_sink:nothing\n"
    (info / "entry_points.txt").write_text(entries)
    monkeypatch.syspath_prepend(str(folder))


def site(small_monitor, folder, *sinks: str) -> SinkSite:
    config = small_monitor(f"file://{folder}", publish={"sinks": list(sinks), "dataset": "model-1"})
    access = Access("the connection", "http://127.0.0.1:9", "abcdefghij.very-secret", {"org_id": "org-1"})
    return SinkSite(MonitorStore(open_storage(config.storage.uri), config), lambda connection, secret: access)


def test_the_monitors_sinks_are_made_in_its_order(small_monitor, tmp_path):
    made = sinks_of(site(small_monitor, tmp_path, *BUILT_IN_SINKS))
    assert [sink.name for sink in made] == list(BUILT_IN_SINKS)
    assert [sink.dataset for sink in made] == ["model-1", "demo"]


def test_a_package_brings_a_sink_that_the_monitor_file_may_name(small_monitor, tmp_path, package):
    local, warehouse = sinks_of(site(small_monitor, tmp_path, "local", "warehouse"))
    assert (local.name, warehouse.name, warehouse.organisation, warehouse.dataset) == (
        "local",
        "warehouse",
        "us",
        "demo",
    )


def test_a_name_that_nobody_brings_is_refused_with_the_names_there_are(small_monitor, tmp_path, package):
    with pytest.raises(
        ValueError, match=r"should be 'whylabs', 'local', 'broken' or 'warehouse'; an installed package"
    ):
        site(small_monitor, tmp_path, "warehous")
    with pytest.raises(ConfigError, match=r"no sink 'gone'; there are whylabs, local"):
        sink_of("gone", site(small_monitor, tmp_path, "local"))


def test_an_entry_point_that_leads_nowhere_says_which(small_monitor, tmp_path, package):
    with pytest.raises(
        ConfigError, match=r"entry point warehouse_sink:nothing of the sink 'broken' cannot be loaded \(AttributeError"
    ):
        sinks_of(site(small_monitor, tmp_path, "broken"))
