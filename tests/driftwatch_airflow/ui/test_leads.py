"""The ways from Airflow's own pages to those of Driftwatch."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.run_days import RunDay
from driftwatch_airflow.ui import airflow_state


def test_the_way_from_a_dags_page_leads_only_where_the_user_may_go(client: Any) -> None:
    answer = client.get("/dag/ours_monitoring", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/driftwatch/m/ours/")
    assert client.get("/dag/driftwatch_watch", follow_redirects=False).headers["location"] == "/driftwatch/"
    for dag_id in ("theirs_monitoring", "ours_retraining", "no_monitor"):
        assert client.get(f"/dag/{dag_id}", follow_redirects=False).status_code == 404


def test_a_run_leads_to_its_day_with_the_run_that_the_reader_comes_from(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"by hand 1": RunDay(date(2026, 1, 5), "named by `day`")}
    monkeypatch.setattr(airflow_state, "day_of_run_id", lambda session, config, run_id: known.get(run_id))
    answer = client.get("/dag/ours_monitoring/run/by%20hand%201", follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == "/driftwatch/m/ours/days/2026-01-05/?run=by%20hand%201"
    unknown = client.get("/dag/ours_monitoring/run/gone", follow_redirects=False)
    assert unknown.headers["location"] == "/driftwatch/m/ours/"
    assert client.get("/dag/theirs_monitoring/run/gone", follow_redirects=False).status_code == 404


def test_a_run_of_no_day_says_why(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def about(session: Any, config: Any, run_id: str) -> RunDay:
        raise NeedsAttention("the run names no day")

    monkeypatch.setattr(airflow_state, "day_of_run_id", about)
    answer = client.get("/dag/ours_monitoring/run/r1")
    assert answer.status_code == 409
    assert "Run r1 handles no day: the run names no day." in answer.text
