"""Where a monitor publishes, and whose monitors are kept there."""

from __future__ import annotations

from driftwatch.artifacts.keys import MonitorKeys

LAYOUT = MonitorKeys("cats_vs_dogs")


OLD, NEW = "v0001-00000001", "v0002-00000002"


def test_monitors_are_left_alone_where_the_file_says_so_and_without_whylabs(publishing):
    settings = publishing.monitor.publish
    publishing.day(1, OLD)
    publishing.upload(
        1, settings.model_copy(update={"monitors": settings.monitors.model_copy(update={"managed": False})})
    )
    publishing.upload(1, settings.model_copy(update={"sinks": ("local",)}))

    assert publishing.server.requests("PUT", "/monitor-config/") == []
    assert publishing.server.requests("GET", "/monitor-config/") == []
    assert publishing.storage.exists(f"{LAYOUT.local_profiles}/2026-01-01/features.bin")
    assert publishing.storage.exists(f"{LAYOUT.local_profiles}/reference/{OLD}.bin")
