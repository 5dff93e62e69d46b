"""What is shown of a monitor over time."""

from __future__ import annotations

from datetime import date
from itertools import chain
from typing import Any

import pytest
import yaml
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_airflow.ui import access, monitor_routes

from .conftest import Manager


def test_the_series_are_made_anew_only_when_an_artifact_has_changed(
    client: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    real = monitor_routes.series

    def counted(days: Any, *given: Any) -> Any:
        made.append(len(days))
        return real(days, *given)

    monkeypatch.setattr(monitor_routes, "series", counted)
    first = client.get("/m/ours/series.json")
    assert first.status_code == 200
    assert client.get("/m/ours/series.json").content == first.content
    assert made == [0]
    counts = {
        "listed": 3,
        "accepted": 3,
        "duplicate": 0,
        "quarantined": 0,
        "reasons": {},
        "model_version": "v0001-00000001",
    }
    open_storage(f"file://{tmp_path}").write_json(MonitorKeys("ours").day(date(2026, 1, 5)).ingest, counts)
    assert client.get("/m/ours/series.json").content != first.content
    assert made == [0, 1]


def test_the_models_page_says_which_model_is_waited_for_and_how_it_comes_back(
    client: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "get_auth_manager", lambda: Manager({"ours_monitoring", "ours_retraining"}))
    storage, keys = open_storage(f"file://{tmp_path}"), MonitorKeys("ours")
    assert "A model is waited for" not in client.get("/m/ours/models").text
    storage.write_json(keys.champion, {"version": samples.HANDOVER["champion"]})
    storage.write_json(keys.day(date(2026, 1, 9)).ingest, samples.INGEST)
    storage.write_json(keys.of_retraining("r1").handover.manifest, {**samples.HANDOVER, "run_key": "r1"})
    shown = client.get("/m/ours/models").text
    assert "A model is waited for" in shown
    assert "driftwatch challenger register ours.yaml MODEL_FILE --run r1" in shown
    assert samples.HANDOVER["place"] in shown


def test_the_models_page_says_where_somebody_moved_mlflows_alias(
    client: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "get_auth_manager", lambda: Manager({"ours_monitoring", "ours_retraining"}))
    assert "In MLflow" not in client.get("/m/ours/models").text
    path = tmp_path / "ours.yaml"
    raw = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**raw, "registry": {"mlflow": {"connection": "mlflow_default"}}}))
    moved = {"stands_at": "7", "version": None, "found_at": "v0001-00000001"}
    record = {"model": "ours", "shown": {"v0001-00000001": "1"}, "champion": "v0001-00000001", "moved": moved}
    open_storage(f"file://{tmp_path}").write_json(MonitorKeys("ours").mlflow, record)
    shown = client.get("/m/ours/models").text
    assert "In MLflow" in shown
    assert "alias champion of ours stands at version 7" in shown


def test_the_models_page_shows_both_models_before_and_after_and_leads_to_run_and_days(
    client: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "get_auth_manager", lambda: Manager({"ours_monitoring", "ours_retraining"}))
    run, version = samples.CARD["data"]["run_key"], samples.CARD["version"]
    pages = {run: f"/dags/ours_retraining/runs/{run}"}
    monkeypatch.setattr(monitor_routes.airflow_state, "retraining_pages", lambda session, config: pages)
    storage, keys = open_storage(f"file://{tmp_path}"), MonitorKeys("ours")
    storage.write_json(keys.model_card(version), {**samples.CARD, "gate": samples.GATE})
    storage.write_json(keys.champion, {"version": version})
    shown = client.get("/m/ours/models").text
    assert "champion: serves now" in shown
    assert f'href="{pages[run]}"' in shown
    for day in samples.CARD["data"]["by_day"]:
        assert f'/m/ours/days/{day}/">{day}</a>' in shown
    for part in ("recent", "clean"):
        for role in ("champion", "challenger"):
            for n in chain.from_iterable(samples.GATE[part][role]["confusion_matrix"]["rows"]):
                assert f"<b>{n}</b>" in shown, (part, role)
    assert "(one-sided" in shown
    assert "95 % interval, two-sided" in shown


def test_a_training_picture_is_for_whoever_may_read_the_retraining(client: Any) -> None:
    assert client.get(f"/m/ours/training/{'0' * 64}.jpg").status_code == 403  # may read the monitoring DAG alone


def test_a_class_that_the_monitor_has_not_is_refused_by_its_name(client: Any) -> None:
    assert client.get("/m/ours/class.json", params={"name": "dog"}).json()["name"] == "dog"
    refused = client.get("/m/ours/class.json", params={"name": "horse"})
    assert (refused.status_code, refused.json()["detail"]) == (404, "The monitor has no class horse.")
