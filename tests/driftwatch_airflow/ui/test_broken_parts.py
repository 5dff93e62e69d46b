"""What is broken of one monitor, one day or one file is named, and everything else is shown."""

from __future__ import annotations

import json
import shutil
import socket
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.common.db.common import _get_session
from fastapi.testclient import TestClient
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.storage import Storage, open_storage
from driftwatch_airflow.ui import airflow_state, monitors
from driftwatch_sandbox.demo.year import Year

from .conftest import app_for

LAST = date(2026, 6, 14)
BEFORE = LAST - timedelta(days=1)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The folder of a small monitor `ours`."""
    folder = tmp_path_factory.mktemp("written")
    raw = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    raw |= {"name": "ours", "storage": {"uri": f"file://{folder}"}, "schedule": {"start_date": "2026-01-01"}}
    (folder / "ours.yaml").write_text(yaml.safe_dump(raw))
    Year(open_storage(f"file://{folder}"), load_monitor(folder / "ours.yaml"), LAST, 3).write()
    return folder / "ours"


class Deployment:
    """A folder of monitor files and a storage with their days; `forbidden` DAGs may not be read."""

    def __init__(self, folder: Path, raw: dict[str, Any], written: Path) -> None:
        self.folder, self.raw, self.forbidden = folder, raw, set[str]()
        self.storage, self.ours = open_storage(f"file://{folder / 'data'}"), MonitorKeys("ours")
        for name in ("ours", "other"):
            self.add(f"{name}.yaml", {**raw, "name": name, "storage": {"uri": self.storage.uri}})
            shutil.copytree(written, folder / "data" / name)
        self.client: Any = None

    def add(self, file: str, raw: Any) -> None:
        (self.folder / file).write_text(raw if isinstance(raw, str) else yaml.safe_dump(raw))

    def page(self, address: str, status: int = 200) -> str:
        answer = self.client.get(address)
        assert answer.status_code == status, answer.text[-2000:]
        return str(answer.text)


@pytest.fixture
def deployment(tmp_path: Path, root: Path, written: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    raw = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    raw["schedule"] = {"start_date": "2026-01-01"}
    made = Deployment(tmp_path, raw, written)

    class Manager:
        def is_authorized_dag(self, *, details: Any, **_: Any) -> bool:
            return details.id not in made.forbidden

    app = app_for(Manager(), tmp_path, monkeypatch)
    monkeypatch.setattr(airflow_state, "runs_of_day", lambda session, config, day: [])
    monkeypatch.setitem(app.dependency_overrides, _get_session, lambda: None)
    made.client = TestClient(app, raise_server_exceptions=False)
    return made


def test_a_refused_file_is_a_card_with_its_reason_for_those_who_may_read_its_dag(deployment: Deployment) -> None:
    deployment.add("typo.yaml", {**deployment.raw, "name": "typo", "classes": ["cat"]})
    deployment.add("twin.yaml", {**deployment.raw, "name": "ours"})
    deployment.add("date.yaml", "schedule: {start_date: 2026-02-30}")
    (deployment.folder / "gone.yaml").symlink_to("nowhere")
    (deployment.folder / ".#ours.yaml").symlink_to("someone@machine.1:2")
    page = deployment.page("/")
    for file, reason in {
        "typo": "at least 2 entries",
        "twin": "is that of ours.yaml",
        "gone": "links to nowhere",
    }.items():
        assert f"{file}.yaml was refused" in page
        assert reason in page
    assert "someone@machine" not in page
    assert 'href="/driftwatch/m/ours/"' in page
    deployment.forbidden = {"typo_monitoring_refused"}
    assert "typo.yaml" not in deployment.page("/")
    deployment.add("typo.yaml", {**deployment.raw, "name": "typo", "storage": {"uri": deployment.storage.uri}})
    assert "typo.yaml was refused" not in deployment.page("/")


def test_a_long_file_name_does_not_widen_the_overview(deployment: Deployment, browser: Any, root: Path) -> None:
    deployment.add(f"{'a_long_name_' * 20}.yaml", "name: refused")
    sheets = (
        "include/driftwatch/view/report/templates/report.css",
        "plugins/driftwatch_airflow/ui/static/driftwatch.css",
    )
    styles = "".join((root / sheet).read_text() for sheet in sheets)
    page = browser.new_page(viewport={"width": 400, "height": 900})
    page.set_content(f"<style>{styles}</style>{deployment.page('/')}")
    assert page.locator("h3", has_text="a_long_name_").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    page.close()


@pytest.mark.parametrize("content", [b'{"vers', b'{"version": 3, "previous": null}', b"[" * 100_000])
def test_a_broken_pointer_is_named_and_everything_else_is_shown(deployment: Deployment, content: bytes) -> None:
    deployment.storage.write_bytes(deployment.ours.champion, content)
    for address in ("/", "/m/ours/models"):
        page = deployment.page(address)
        assert "ours/models/champion.json" in page
    assert f"/m/ours/days/{LAST}/" in deployment.page("/")
    assert "/driftwatch/m/other/" in deployment.page("/")
    deployment.page("/m/ours/")
    deployment.page("/m/ours/series.json")


WRONG = b'{"verdict": 3, "features": "none", "cost": "much", "accuracy": 1, "content": [], "uploads": 0}'


@pytest.mark.parametrize("content", [b"{half", WRONG, b"\xff"])
def test_broken_artifacts_of_a_day_are_named_there_and_on_the_days_after(
    deployment: Deployment, content: bytes
) -> None:
    names = (
        "performance",
        "drift",
        "annotation",
        "estimate",
        "content_drift",
        "published",
        "failure",
        "annotation_progress",
    )
    keys = {name: getattr(deployment.ours.day(BEFORE), name) for name in names}
    keys["outbox"] = f"{deployment.ours.day(BEFORE).outbox}/drift.json"
    for key in keys.values():
        deployment.storage.write_bytes(key, content)
    page, after = (deployment.page(f"/m/ours/days/{day}/") for day in (BEFORE, LAST))
    assert [key for key in keys.values() if key not in page] == []
    assert [name for name, key in keys.items() if key in after] == ["performance", "drift"]
    overview = deployment.page("/")
    assert "/driftwatch/m/ours/" in overview
    assert "/driftwatch/m/other/" in overview
    assert "content_drift.json" in deployment.page("/m/ours/")
    shown = json.loads(deployment.page("/m/ours/series.json"))
    assert [said == "cannot be read" for said in shown["said"]] == [False, True, False]


def test_a_day_whose_images_are_not_known_says_which_file_is_broken(deployment: Deployment) -> None:
    for name in ("manifest", "ingest"):
        key = getattr(deployment.ours.day(BEFORE), name)
        deployment.storage.write_bytes(key, b"half")
        assert key in deployment.page(f"/m/ours/days/{BEFORE}/", 503)
    deployment.page(f"/m/ours/days/{LAST}/")
    deployment.page("/")


def test_broken_tables_of_a_day_are_named_and_the_rest_is_shown(deployment: Deployment) -> None:
    import pandas as pd

    keys = [getattr(deployment.ours.day(LAST), name) for name in ("predictions", "labels", "assignments", "annotators")]
    for number, key in enumerate(keys):
        if number % 2:
            deployment.storage.write_bytes(key, b"PAR1 half")
        else:
            deployment.storage.write_table(key, pd.DataFrame({"other": [1]}))
    page = deployment.page(f"/m/ours/days/{LAST}/")
    assert [key for key in keys if key not in page] == []


def test_a_broken_card_of_a_version_is_named_and_the_other_versions_are_shown(deployment: Deployment) -> None:
    from driftwatch.models.registry import versions

    first, *others = versions(monitor_store(deployment.storage, deployment.ours))
    deployment.storage.write_json(deployment.ours.model_card(first), {"metrics": {"holdout": "good"}})
    page = deployment.page("/m/ours/models")
    assert deployment.ours.model_card(first) in page
    assert all(f'id="{version}"' in page for version in others)


def test_an_artifact_without_a_field_that_it_needs_is_named_and_its_monitor_is_shown(deployment: Deployment) -> None:
    key = deployment.ours.day(LAST).drift
    found = deployment.storage.read_json(key)
    deployment.storage.write_json(key, {name: part for name, part in found.items() if name != "verdict"})
    assert f"{LAST}: cannot be read" in deployment.page("/")
    for address in ("/m/ours/", f"/m/ours/days/{LAST}/"):
        page = deployment.page(address)
        assert key in page
        assert "verdict: Field required" in page


def test_stray_folders_beside_the_days_harm_no_page(deployment: Deployment) -> None:
    names = ("9999-12-31", "0001-01-01", "2026-02-30", "notes", "20260101", "2026-06-15-old")
    for name in names:
        deployment.storage.write_bytes(f"{deployment.ours.days}/{name}/ingest.json", b"{}")
    assert f"/m/ours/days/{LAST}/" in deployment.page("/")
    deployment.page("/m/ours/")
    deployment.page("/m/ours/series.json")
    for name in names:
        for address in ("", "report.html", "distribution.json?feature=x", f"images/{'0' * 64}.jpg"):
            deployment.page(f"/m/ours/days/{name}/{address}", 404)


def test_a_storage_that_cannot_be_reached_fails_its_own_card(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitors, "PATIENCE", 2.0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
        for name, value in {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{closed}", "AWS_ACCESS_KEY_ID": "x"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        deployment.add("away.yaml", {**deployment.raw, "name": "away", "storage": {"uri": "s3://bucket/x"}})
        page = deployment.page("/")
    assert "away</a> cannot be shown" in page
    assert "/driftwatch/m/other/" in page


def test_a_storage_that_hangs_is_waited_for_a_while_and_not_asked_twice(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    go_on, asked = threading.Event(), []
    real = monitors.storage_of

    def storage_of(config: Any) -> Storage:
        if config.name == "other":
            asked.append(config.name)
            go_on.wait(10)
        return real(config)

    monkeypatch.setattr(monitors, "PATIENCE", 2.0)
    monkeypatch.setattr(monitors, "storage_of", storage_of)
    try:
        for _ in range(2):
            page = deployment.page("/")
            assert "has not answered within" in page
            assert f"/m/ours/days/{LAST}/" in page
        assert asked == ["other"]
    finally:
        go_on.set()


def test_a_storage_that_cannot_be_opened_fails_its_own_card(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = monitors.storage_of

    def storage_of(config: Any) -> Storage:
        if config.name == "other":
            raise LookupError("The conn_id `ours_s3` isn't defined")
        return real(config)

    monkeypatch.setattr(monitors, "storage_of", storage_of)
    page = deployment.page("/")
    assert "other</a> cannot be shown" in page
    assert "ours_s3" in page
    assert f"/m/ours/days/{LAST}/" in page


def test_a_file_without_permission_is_named(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    key = deployment.ours.day(LAST).performance
    read_bytes = Storage.read_bytes

    def forbidden(storage: Storage, wanted: str) -> bytes:
        if wanted == key:
            raise PermissionError(13, "Permission denied", storage.path(wanted))
        return read_bytes(storage, wanted)

    monkeypatch.setattr(Storage, "read_bytes", forbidden)  # root may read all
    assert f"{key} may not be read" in deployment.page(f"/m/ours/days/{LAST}/")
    page = deployment.page("/m/ours/")
    assert "performance.json" in page
    assert f"/m/ours/days/{LAST}/" in deployment.page("/")
