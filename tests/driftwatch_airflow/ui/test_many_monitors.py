"""The overview of many monitors: the worst first, found by words and by tone, refused files on one card; and the card's own buttons."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.failure import Failure
from driftwatch_airflow.ui import airflow_state, monitor_routes

from .conftest import Manager, app_for

pytestmark = pytest.mark.end_to_end
NAMES = [f"gate_{number}" for number in range(7)]
DAY = date(2026, 1, 8)


@pytest.fixture
def client(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Seven monitors: the last failed today, the sixth waits for labels, the others have no day; and two files that are refused."""
    raw = yaml.safe_load((root / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
    raw["storage"]["uri"] = f"file://{tmp_path}/storage"
    for name in NAMES:
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**raw, "name": name, "description": f"Of {name}."}))
    for name in ("typo", "other"):
        (tmp_path / f"{name}.yaml").write_text("name: typo\n")
    for name in NAMES[5:]:
        day = tmp_path / "storage" / name / "days" / str(DAY)
        day.mkdir(parents=True)
        for file, found in (("ingest", samples.INGEST), ("drift", {**samples.DAY_DRIFT, "verdict": "ok"})):
            (day / f"{file}.json").write_text(json.dumps({**found, "day": str(DAY)}))
    app = app_for(Manager({f"{name}_monitoring" for name in (*NAMES, "typo", "other")} | {"typo_monitoring_refused", "other_monitoring_refused"}), tmp_path, monkeypatch)  # fmt: skip
    failed = {DAY: [Failure(task="merge_annotations", reason="no answer", run_id="r")]}
    told = {name: failed if name == NAMES[6] else {} for name in NAMES}
    monkeypatch.setattr(airflow_state, "failures_of_each", lambda session, configs, since=None: told)
    monkeypatch.setattr(airflow_state, "runs_of_day", lambda session, config, day: [])
    monkeypatch.setattr(airflow_state, "stored_links", lambda session, dag_id, runs: {"LabellingLink": "https://desk"})
    return TestClient(app)


def test_the_worst_is_first_and_words_and_tones_find_the_others(tab: Any) -> None:
    tab.goto("http://airflow.test/")
    names = tab.locator(".monitors tbody th a").all_text_contents()
    assert names[0] == NAMES[6]
    assert sorted(names) == NAMES
    assert tab.locator("h2", has_text="2 monitor files were refused").is_visible()
    assert tab.locator("pre.reason").count() == 2
    tab.get_by_label("Filter").fill("gate_5")
    visible = tab.locator(".monitors tbody tr:visible")
    assert visible.count() == 1
    assert tab.locator("#filtered").text_content() == "1 of 7 monitors"
    tab.get_by_label("Filter").fill("")
    tab.get_by_role("button", name="something is wrong").click()
    assert visible.count() == 1
    assert NAMES[6] in visible.text_content()


def test_a_failed_day_is_run_again_by_the_cards_button_which_is_pressed_twice(tab: Any) -> None:
    asked: list[Any] = []

    def run(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json={"dag_run_id": "manual__1"})

    tab.route("**/api/v2/dags/*/dagRuns", run)
    tab.goto(f"http://airflow.test/m/{NAMES[6]}/")
    card = tab.locator(".now")
    assert "The day failed at merge_annotations." in card.text_content()
    card.get_by_role("button", name=f"Run {DAY} again").click()
    assert asked == []
    card.get_by_role("button", name=f"Yes, run {DAY} again").click()
    card.locator("[role=status] a").wait_for()
    assert asked[0]["conf"] == {"day": str(DAY)}
    tab.goto(f"http://airflow.test/m/{NAMES[6]}/days/{DAY - timedelta(days=1)}/")
    assert tab.locator("h1").text_content() == "Not found"


def test_while_people_label_the_card_leads_to_where_they_do(tab: Any, tmp_path: Path) -> None:
    plan = {**samples.PLAN, "day": str(DAY), "close_reason": None, "state": "opened", "progress": None}
    (tmp_path / "storage" / NAMES[5] / "days" / str(DAY) / "annotation.json").write_text(json.dumps(plan))
    tab.goto(f"http://airflow.test/m/{NAMES[5]}/")
    card = tab.locator(".now")
    assert "People are labelling until" in card.text_content()
    assert card.get_by_role("link", name="Open the labelling").get_attribute("href") == "https://desk"


def test_of_many_monitors_only_the_newest_days_are_read(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor_routes, "LATELY", 2)
    for ago in range(1, 5):
        day = tmp_path / "storage" / NAMES[5] / "days" / str(DAY - timedelta(days=ago))
        day.mkdir()
        (day / "ingest.json").write_text(json.dumps({**samples.INGEST, "day": day.name}))
    row = client.get("/").text.partition(f"/m/{NAMES[5]}/")[2].partition("</tr>")[0]
    assert row.count('class="daycell') == 2
    monkeypatch.setattr(monitor_routes, "FEW", 7)
    row = client.get("/").text.partition(f"/m/{NAMES[5]}/")[2].partition("</tr>")[0]
    assert row.count('class="daycell') == 0
