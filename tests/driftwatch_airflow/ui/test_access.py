"""A monitor is shown to those who may read its DAG, and to nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient

from driftwatch_airflow.ui import access, airflow_state
from driftwatch_airflow.ui.app import application


class Manager:
    """An auth manager that lets everyone read the DAGs `allowed`."""

    def __init__(self, allowed: set[str]) -> None:
        self.allowed = allowed

    def is_authorized_dag(self, *, method: str, details: Any, user: Any) -> bool:
        assert method == "GET"
        return details.id in self.allowed


@pytest.fixture
def client(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    raw = yaml.safe_load((root / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
    raw["storage"]["uri"] = f"file://{tmp_path}"
    for name in ("ours", "theirs"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**raw, "name": name}))
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    monkeypatch.setattr(access, "get_auth_manager", lambda: Manager({"ours_monitoring"}))
    monkeypatch.setattr(access.DagModel, "get_team_name", lambda dag_id: None)
    monkeypatch.setattr(airflow_state, "failures", lambda session, config: {})
    app = application()
    monkeypatch.setitem(app.dependency_overrides, get_user, lambda: "somebody")
    return TestClient(app)


def test_pages_thumbnails_and_numbers_of_a_monitor_need_its_dag(client: Any) -> None:
    assert client.get("/m/ours/").status_code == 200
    image = f"days/2026-01-05/images/{'0' * 64}.jpg"
    for address in ("", "series.json", "models", "days/2026-01-05/", "days/2026-01-05/report.html", image, "days/2026-01-05/distribution.json?feature=x"):  # fmt: skip
        assert client.get(f"/m/theirs/{address}").status_code == 403, address
    assert client.get("/m/nobody/").status_code == 404


def test_the_models_need_the_retraining_dag_too(client: Any) -> None:
    assert client.get("/m/ours/models").status_code == 403


def test_the_way_from_a_dags_page_leads_only_where_the_user_may_go(client: Any) -> None:
    answer = client.get("/dag/ours_monitoring", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/driftwatch/m/ours/")
    for dag_id in ("theirs_monitoring", "ours_retraining", "no_monitor"):
        assert client.get(f"/dag/{dag_id}", follow_redirects=False).status_code == 404
