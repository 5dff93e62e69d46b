"""WhyLabs' own monitors, put by us and run by the stand-in, over real HTTP."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store
from tests.whylabs_server import upload_profile

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.drift.whylogs_profiles import feature_profile, performance_profile
from driftwatch.publish.whylabs.errors import WhyLabsAccessRefused, WhyLabsError
from driftwatch.publish.whylabs.monitors import (
    DRIFT,
    FLOOR,
    TREND,
    analyzer_id,
    documents,
    keep_monitors,
    put_documents,
)
from driftwatch.publish.whylabs.sink import WhyLabsSink
from driftwatch.storage import Storage, open_storage

LAYOUT = MonitorKeys("cats_vs_dogs")
IDS = [f"cats_vs_dogs-{what}-{kind}" for kind in ("analyzer", "monitor") for what in (DRIFT, FLOOR, TREND)]
CONFIG_PATH = "/monitor-config/"


def features(rows: int, mean: float = 100) -> pd.DataFrame:
    rng = np.random.default_rng(rows)
    return pd.DataFrame({"image.Brightness.mean": rng.normal(mean, 10, rows), "image.entropy": rng.normal(7, 1, rows)})


@pytest.fixture
def monitor(root: Path, tmp_path, monkeypatch):
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    return load_monitor(root / "include/monitors/cats_vs_dogs.yaml")


@pytest.fixture
def storage(tmp_path) -> Storage:
    """Two model versions with references of their own."""
    storage = open_storage(f"file://{tmp_path}")
    for number, version in enumerate(("v1", "v2")):
        table = features(300 + number)
        storage.write_table(LAYOUT.reference_features(version), table)
        storage.write_bytes(LAYOUT.reference_profile(version), feature_profile(table, date(2026, 1, 1)))
    return storage


def changed(monitor: Any, **settings: Any) -> Any:
    """The monitor with other settings under publish.monitors."""
    monitors = type(monitor.publish.monitors)(**{**monitor.publish.monitors.model_dump(), **settings})
    return monitor.model_copy(update={"publish": monitor.publish.model_copy(update={"monitors": monitors})})


def test_the_three_monitors_are_put_and_find_the_bad_day(whylabs_servers, storage, monitor):
    server = whylabs_servers(analyse_seconds=0)
    api = server.api()
    keep_monitors(monitor_store(storage, LAYOUT, monitor), WhyLabsSink(api), "v1")
    right = [9, 8, 9, 8, 9, 8, 9, 8, 5]  # of ten; the last day is below the floor of 0.7 and far from the days before
    for number, count in enumerate(right, start=1):
        day = date(2026, 1, number)
        upload_profile(api, feature_profile(features(100, 180 if number == 9 else 100), day), day)
        predictions = ["cat"] * count + ["dog"] * (10 - count)
        upload_profile(api, performance_profile(["cat"] * 10, predictions, [1.0] * 10, day), day)
        server.analysed(day.isoformat())

    found = {}
    for number in range(1, 10):
        rows = api.analysis_results(date(2026, 1, number), IDS[:3])
        found[number] = {(row["analyzerId"], row["column"]) for row in rows if row["isAnomaly"]}
        assert all(row["monitorIds"] == [row["analyzerId"].replace("-analyzer", "-monitor")] for row in rows)
    assert {number: rows for number, rows in found.items() if rows} == {
        9: {
            (analyzer_id(monitor, DRIFT), "image.Brightness.mean"),
            (analyzer_id(monitor, FLOOR), "__internal__.datasetMetrics"),
            (analyzer_id(monitor, TREND), "__internal__.datasetMetrics"),
        }
    }


def test_what_is_there_already_is_not_written_again_and_a_changed_setting_is(whylabs_servers, storage, monitor):
    server = whylabs_servers()
    sink = WhyLabsSink(server.api())
    assert keep_monitors(monitor_store(storage, LAYOUT, monitor), sink, "v1") == dict.fromkeys(IDS, True)
    assert keep_monitors(monitor_store(storage, LAYOUT, monitor), sink, "v1") == dict.fromkeys(IDS, False)
    assert len(server.requests("PUT", CONFIG_PATH)) == 6

    stricter = changed(monitor, drift_threshold=0.6, actions=("pager",))
    written = keep_monitors(monitor_store(storage, LAYOUT, stricter), sink, "v1")
    assert [name for name, new in written.items() if new] == [IDS[0], *IDS[3:]]
    there = server.monitor_config()
    assert there[IDS[0]]["config"]["threshold"] == 0.6
    assert there[IDS[3]]["actions"] == [{"type": "global", "target": "pager"}]
    assert there[IDS[1]]["metadata"]["version"] == 1


def test_a_promotion_points_the_drift_monitor_at_the_new_reference_alone(whylabs_servers, storage, monitor):
    server = whylabs_servers()
    sink = WhyLabsSink(server.api())
    references = {}
    for version in ("v1", "v2", "v1"):
        keep_monitors(monitor_store(storage, LAYOUT, monitor), sink, version)
        references[version] = server.monitor_config()[IDS[0]]["config"]["baseline"]["profileId"]

    uploaded = {found["alias"]: found["id"] for found in server.state()["references"]}
    assert references == uploaded
    assert len(server.state()["references"]) == 2
    assert {name: found["metadata"]["version"] for name, found in server.monitor_config().items()} == {
        name: 3 if name == IDS[0] else 1 for name in IDS
    }


def test_other_monitors_of_the_dataset_are_left_alone(whylabs_servers, storage, monitor):
    server = whylabs_servers()
    theirs = {**documents(monitor, "ref-1")["analyzers"][1], "id": "somebody-elses-analyzer"}
    server.api().put_monitor_config("analyzer", theirs)
    keep_monitors(monitor_store(storage, LAYOUT, monitor), WhyLabsSink(server.api()), "v1")

    assert server.monitor_config()["somebody-elses-analyzer"]["metadata"]["version"] == 1
    assert set(server.monitor_config()) == {*IDS, "somebody-elses-analyzer"}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("error_before", "HTTP 500; injected fault.*try again later"),
        ("error_after_commit", "HTTP 500; injected fault.*try again later"),
        ("drop_before", "check the address in the WhyLabs connection"),
        ("drop_after", "check the address in the WhyLabs connection"),
        ("html_502", "HTTP 502; an HTML page, so probably from a proxy"),
    ],
)
def test_a_failure_half_way_is_completed_by_the_next_try(whylabs_servers, storage, monitor, fault, said):
    server = whylabs_servers()
    server.fault("PUT", f"{IDS[2]}$", fault)
    with pytest.raises(WhyLabsError, match=rf"PUT .*/{IDS[2]} at http.*{said}"):
        keep_monitors(monitor_store(storage, LAYOUT, monitor), WhyLabsSink(server.api(retries=0)), "v1")
    keep_monitors(monitor_store(storage, LAYOUT, monitor), WhyLabsSink(server.api(retries=0)), "v1")

    there = server.monitor_config()
    assert {name: found["metadata"]["version"] for name, found in there.items()} == dict.fromkeys(IDS, 1)
    assert len(server.state()["references"]) == 1


def test_a_key_that_may_not_configure_is_told_with_the_connection_and_the_setting(whylabs_servers, monitor):
    server = whylabs_servers()
    server.fault("GET", CONFIG_PATH, "error_before", status=403, code="Forbidden")
    api = server.api(connection="the Airflow connection whylabs_default")
    with pytest.raises(WhyLabsAccessRefused, match=r"403.*the API key in the Airflow connection whylabs_default"):
        put_documents(api, documents(monitor, "ref-1"))


def test_the_refusal_names_the_setting_that_leaves_the_monitors_alone(whylabs_servers, storage, monitor):
    server = whylabs_servers()
    server.fault("PUT", CONFIG_PATH, "error_before", status=403, code="Forbidden")
    with pytest.raises(WhyLabsAccessRefused, match=r"publish\.monitors\.managed"):
        keep_monitors(monitor_store(storage, LAYOUT, monitor), WhyLabsSink(server.api()), "v1")
    assert len(server.requests("PUT", CONFIG_PATH)) == 1


def test_the_floor_is_the_verdicts_own_unless_the_file_says_otherwise(monitor):
    def floor(config: Any) -> float:
        return documents(config, "ref-1")["analyzers"][1]["config"]["lower"]

    assert floor(monitor) == monitor.performance.floor
    assert floor(changed(monitor, accuracy_floor=0.55)) == 0.55
    assert floor(changed(monitor, accuracy_floor=0.0)) == 0.0
