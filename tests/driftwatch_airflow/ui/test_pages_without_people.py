"""The pages of a monitor without labels, and of one whose labels come from a table."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from tests.driftwatch.artifacts import samples
from tests.driftwatch.labels.table_days import (
    DAY,
    FILES,
    SOON,
    answered_day,
    by_table,
    files_of,
    outside,
    put_csv,
    rows_of,
)

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.artifacts.models import ModelCard
from driftwatch.config import MonitorConfig
from driftwatch.labels.table import read_labels, write_labels
from driftwatch.view.report import write_report
from driftwatch.view.verdicts import reasons
from driftwatch_airflow.ui import airflow_state

from .conftest import Manager, app_for

PLAIN = {"name": "demo", "classes": ["cat", "dog"], "schedule": {"start_date": "2026-01-01"}}


def shown(tmp_path: Any, monkeypatch: pytest.MonkeyPatch, **section: Any) -> Any:
    """The pages of the monitor, as somebody sees them who may read its monitoring DAG."""
    file = {**PLAIN, "storage": {"uri": f"file://{tmp_path}/storage"}, **section}
    folder = tmp_path / "monitors"
    folder.mkdir(exist_ok=True)
    (folder / "demo.yaml").write_text(yaml.safe_dump(file))
    return TestClient(app_for(Manager({"demo_monitoring"}), folder, monkeypatch))


def test_without_labels_no_page_waits_for_any_or_offers_what_needs_them(tmp_path, monkeypatch):
    day = answered_day(by_table(f"file://{tmp_path}/storage"))
    plain = MonitorConfig.model_validate({**PLAIN, "storage": {"uri": f"file://{tmp_path}/storage"}})
    write_report(day.with_config(plain))
    report = day.storage.read_bytes(day.keys.report).decode()
    assert "Model: " not in report
    assert "no labels" in report
    assert "The last days" not in report
    assert "not known yet" not in report
    assert "when the labels are in" not in report
    keys = day.monitor.keys
    old, new = "v0001-00000001", "v0002-00000002"
    for version in (old, new):
        day.storage.write_json(keys.model_card(version), {**samples.CARD, "version": version})
    day.storage.write_json(keys.champion, {"version": new, "previous": old})
    client = shown(tmp_path, monkeypatch)
    overview = client.get("/").text
    assert "no labels" in overview
    assert "waiting" not in overview.replace("daycell waiting", "").replace("not judged yet", "")
    assert "USD paid" not in overview
    monitor = client.get("/m/demo/").text
    assert "This monitor has no labels" in monitor
    models = client.get("/m/demo/models")
    assert models.status_code == 200
    assert f"driftwatch champion rollback demo.yaml --to {old}" in models.text
    assert "The form of demo_retraining" not in models.text


def test_a_table_that_nobody_knows_how_it_was_chosen_is_shown_without_an_interval(tmp_path, monkeypatch):
    day = answered_day(by_table(f"file://{tmp_path}/storage", covers="unknown"))
    put_csv(day, "a.csv", rows_of(files_of(day)[:40]))
    write_labels(day, read_labels(day, outside(day.config), SOON))
    holdout = day.monitor.read(day.monitor.keys.model_card("v1"), ModelCard).metrics.holdout.accuracy
    evaluate_day(day, holdout, in_words=reasons)
    write_report(day)
    table = {"backend": "table", "table": {**FILES, "covers": "unknown"}}
    client = shown(tmp_path, monkeypatch, labels=table)
    overview = client.get("/").text
    assert "% of the labelled images" in overview
    assert "not enough evidence" in overview
    series = client.get("/m/demo/series.json").json()["performance"]
    assert series["accuracy"]["value"][0] is not None
    assert series["accuracy"]["low"] == [None]
    assert (series["labels"], series["sampled"]) == ([40], [60])
    report = day.storage.read_bytes(day.keys.report).decode()
    assert "some images; nobody knows how they were chosen, so no interval is claimed" in report
    assert "whisker" not in report.split("</style>")[1]
    assert DAY.isoformat() in report


@pytest.mark.parametrize("paused", [False, True])
def test_a_monitor_whose_first_day_still_waits_for_its_files_is_not_told_to_be_unpaused(tmp_path, monkeypatch, paused):
    client = shown(tmp_path, monkeypatch)
    run = airflow_state.NextRun(None, paused, known=True)
    monkeypatch.setattr(airflow_state, "next_runs", lambda session, dag_ids: dict.fromkeys(dag_ids, run))
    for page in ("/", "/m/demo/"):
        text = " ".join(client.get(page).text.split())
        assert "No day was taken in yet" in text
        assert ("unpause <a" in text) is paused
        assert ("what they wait for" in text) is not paused
