"""Airflow served below a path (`[api] base_url` with one): every link, file and redirect of the pages has it, and so has the way back from a login."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.common.db.common import _get_session
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient

from driftwatch_airflow.run_days import RunDay
from driftwatch_airflow.ui import airflow_state

from .conftest import Manager, app_for


@pytest.fixture
def below(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The pages as Airflow mounts them, below /team/airflow; and their application."""
    raw = yaml.safe_load((root / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
    raw["storage"]["uri"] = f"file://{tmp_path}"
    (tmp_path / "ours.yaml").write_text(yaml.safe_dump({**raw, "name": "ours"}))
    app = app_for(Manager({"ours_monitoring", "ours_retraining"}), tmp_path, monkeypatch)
    monkeypatch.setitem(app.dependency_overrides, _get_session, lambda: None)
    airflow = FastAPI(root_path="/team/airflow")
    airflow.mount("/driftwatch", app)
    return TestClient(airflow, raise_server_exceptions=False), app


@pytest.mark.parametrize("page", ["", "m/ours/", "m/ours/models", "m/nobody/"])
def test_every_address_of_a_page_is_below_the_path(below: Any, page: str) -> None:
    client, _ = below
    html = client.get(f"/team/airflow/driftwatch/{page}").text
    found = re.findall(r'(?:href|src|data-runs|data-page)="([^"#]+)"', html)
    assert found
    assert [address for address in found if address.startswith("/") and not address.startswith("/team/airflow/")] == []
    for address in found:
        if "/static/" in address:
            assert client.get(address).status_code == 200, address


def test_the_ways_from_airflows_pages_lead_below_the_path(below: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = below
    about = RunDay(date(2026, 1, 8), "its form")
    monkeypatch.setattr(airflow_state, "day_of_run_id", lambda session, config, run_id: about)
    for address, there in (
        ("dag/ours_monitoring", "m/ours/"),
        ("dag/ours_retraining", "m/ours/models"),
        ("dag/ours_monitoring/run/by_hand", "m/ours/days/2026-01-08/?run=by_hand"),
    ):
        answer = client.get(f"/team/airflow/driftwatch/{address}", follow_redirects=False)
        assert answer.headers["location"] == f"/team/airflow/driftwatch/{there}"


def test_who_is_not_logged_in_gets_a_page_with_its_style_and_comes_back_to_where_they_were(below: Any) -> None:
    client, app = below

    def nobody() -> None:
        raise HTTPException(401, "Not authenticated")

    app.dependency_overrides[get_user] = nobody
    answer = client.get("/team/airflow/driftwatch/m/ours/days/2026-01-08/?run=a%2Bb")
    assert answer.status_code == 401
    (login,) = re.findall(r'href="([^"]+)">Log in to Airflow', answer.text)
    back = "/team/airflow/driftwatch/m/ours/days/2026-01-08/%3Frun%3Da%252Bb"
    assert login == f"/team/airflow/api/v2/auth/login?next={back}"
    styles = re.findall(r'(?:href|src)="([^"]+/static/[^"]+)"', answer.text)
    assert {Path(name).suffix for name in styles} >= {".css", ".js"}
    assert all(client.get(name).status_code == 200 for name in styles)
