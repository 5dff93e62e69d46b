"""A real api-server on generated days, and a logged-in Chromium, shared by a module's tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.airflow_database import new_database
from tests.schemas import check_each_once_in

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitor
from driftwatch.storage import Storage, open_storage
from driftwatch.view.report import write_report
from driftwatch_airflow.ui import access, airflow_state
from driftwatch_airflow.ui.app import application
from driftwatch_airflow.ui.monitors import Sites
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.world import ROOT, World
from driftwatch_sandbox.demo.year import Year

from . import broken_camera

LAST = date(2026, 6, 14)
MANY_CLASSES = (10, 100)
AIRFLOWS_OWN = 90_000  # milliseconds
SCRAPER = "a-token-of-the-scraper"
HOSTILE_CLASSES = ('<img src=x onerror="window.hacked=1">', "dog & 'cat'")


def write_monitor(world: World, days: int, **changes: Any) -> MonitorConfig:
    """A monitor file like the example's, with so many generated days."""
    raw = yaml.safe_load((ROOT / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
    raw["storage"]["uri"] = f"file://{world.storage}"
    raw["schedule"]["start_date"] = date(2025, 6, 1)
    raw |= changes
    world.monitors.mkdir(parents=True, exist_ok=True)
    path = world.monitors / f"{raw['name']}.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False, allow_unicode=True))
    config = load_monitor(path)
    if days:
        Year(open_storage(config.storage.uri), config, LAST, days).write()
    return config


@dataclass(frozen=True)
class Served:
    """The running pages, and whose token they are asked with."""

    url: str
    home: Path
    storage: Storage
    token: str


@dataclass
class Pages:
    """The running pages in a browser. `page(width, scheme)` opens a logged-in tab that notes what its console complains about."""

    url: str
    home: Path
    storage: Storage
    token: str
    browser: Any
    complaints: list[str] = field(default_factory=list)

    def layout(self, name: str = "cats_vs_dogs") -> MonitorKeys:
        return MonitorKeys(name)

    def page(self, width: int = 1280, scheme: str = "light", logged_in: bool = True) -> Any:
        context = self.browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        if logged_in:
            context.add_cookies([{"name": "_token", "value": self.token, "url": self.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda line: line.type == "error" and self.complaints.append(line.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def opened(self, address: str, **options: Any) -> Any:
        """A tab on the address, once all that it shows is there."""
        page = self.page(**options)
        page.goto(f"{self.url}/driftwatch{address}")
        page.wait_for_load_state("networkidle")
        page.locator("[aria-busy=true]").wait_for(state="detached")
        return page

    def framed(self, page: Any, address: str) -> Any:
        """The frame in which Airflow's page of the address shows ours. Airflow's own page is waited for longer: on a busy machine its scripts
        take most of a minute, and the frame is made by them."""
        page.goto(f"{self.url}{address}", timeout=AIRFLOWS_OWN)
        page.locator("iframe").wait_for(state="attached", timeout=AIRFLOWS_OWN)
        return page.frame_locator("iframe")

    def api(self) -> AirflowApi:
        """Airflow's own API."""
        api = AirflowApi.__new__(AirflowApi)
        api._client = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"})
        return api


@pytest.fixture(scope="module")
def pages(browser: Any, served: Served) -> Pages:
    return Pages(served.url, served.home, served.storage, served.token, browser)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for all test_pages*.py, which tests/conftest.py sends to one worker."""
    settings = {"AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600", "DRIFTWATCH_METRICS_TOKEN": SCRAPER}
    world = World(tmp_path_factory.mktemp("pages"), None, settings)
    world.write_airflow_home()
    check_each_once_in(world.home / "airflow")
    new_database(tmp_path_factory, world.home / "airflow" / "airflow.db")
    write_monitor(world, 60)
    write_monitor(
        world, 3, name="hostile", classes=list(HOSTILE_CLASSES), description="<script>window.hacked=1</script>"
    )
    write_monitor(world, 0, name="new_one", description="Not run yet.")
    for n in MANY_CLASSES:
        names = [f"a class whose name has forty letters {number:04d}" for number in range(n)]
        last = MonitorStore(
            open_storage(f"file://{world.storage}"), write_monitor(world, 2, name=f"classes_{n}", classes=names)
        ).day(LAST)
        write_report(last)
    broken_camera.write_days(write_monitor(world, 0, name=broken_camera.NAME, **broken_camera.SETTINGS))
    try:
        world.processes.start("api-server", ["airflow", "api-server"], world.env)
        world.processes.start("dag-processor", ["airflow", "dag-processor"], world.env)
        world.processes.wait_for_http(
            "api-server", f"{world.url('airflow')}/api/v2/monitor/health", lambda answer: answer.is_success, 300
        )
        login = {"username": "admin", "password": world.secrets.password}
        token = httpx.post(f"{world.url('airflow')}/auth/token", json=login).raise_for_status().json()["access_token"]
        # The first page imports all that the pages need: no browser waits for that.
        headers = {"Authorization": f"Bearer {token}"}
        httpx.get(f"{world.url('airflow')}/driftwatch/", headers=headers, timeout=120).raise_for_status()
        storage = open_storage(f"file://{world.storage}")
        yield Served(world.url("airflow"), world.home, storage, token)
    finally:
        world.processes.stop()


class Manager:
    """An auth manager that lets everyone read the DAGs `allowed`."""

    def __init__(self, allowed: set[str]) -> None:
        self.allowed = allowed

    def is_authorized_dag(self, *, method: str, details: Any, user: Any) -> bool:
        assert method == "GET"
        return details.id in self.allowed


@pytest.fixture
def client(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A browser of somebody who may read the DAG ours_monitoring alone, of two monitors without a day."""
    raw = yaml.safe_load((root / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
    raw["storage"]["uri"] = f"file://{tmp_path}"
    for name in ("ours", "theirs"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**raw, "name": name}))
    return TestClient(app_for(Manager({"ours_monitoring"}), tmp_path, monkeypatch))


_made_once = cache(application)  # its routes take a tenth of a second


def app_for(manager: Any, monitors: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    """The pages of the monitor files in a folder, without a server and a database: Airflow knows of no run, and `manager` says who may read."""
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(monitors))
    monkeypatch.setattr(access, "get_auth_manager", lambda: manager)
    monkeypatch.setattr(access.DagModel, "get_team_name", lambda dag_id: None)
    monkeypatch.setattr(airflow_state, "retraining_pages", lambda session, config: {})
    monkeypatch.setattr(
        airflow_state, "failures_of_each", lambda session, configs, since=None: {config.name: {} for config in configs}
    )
    monkeypatch.setattr(
        airflow_state,
        "next_runs",
        lambda session, dag_ids: dict.fromkeys(dag_ids, airflow_state.NextRun(None, False, False)),
    )
    app = _made_once()
    app.state.sites, app.dependency_overrides = Sites(), {}
    monkeypatch.setitem(app.dependency_overrides, get_user, lambda: "somebody")
    return app


AROUND = "<!doctype html><html class='{}'><body><iframe src='/m/ours/' width='900' height='500'></iframe></body></html>"


@pytest.fixture
def tab(browser: Any, client: Any) -> Iterator[Any]:
    """A tab whose requests `client` answers, without a server. `/around/<class>` is a document around the pages, as Airflow's is."""
    context = browser.new_context(color_scheme="light", viewport={"width": 1280, "height": 900})
    page = context.new_page()

    def answer(route: Any) -> None:
        path = route.request.url.removeprefix("http://airflow.test").removeprefix("/driftwatch")
        if path.startswith("/around/"):
            route.fulfill(body=AROUND.format(path.rpartition("/")[2]), content_type="text/html")
            return
        found = client.get(path)
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    page.route("**/*", answer)
    yield page
    context.close()
