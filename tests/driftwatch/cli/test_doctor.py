"""`driftwatch doctor`, with the desk, the image server and the model server over real HTTP."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from driftwatch import cli
from driftwatch_servers import images
from driftwatch_servers.desk.app import Settings, create_app
from driftwatch_servers.serving import running

from .shades import TOKEN, monitor_file, serving

SECRET, DESK_TOKEN = "a-secret-of-links", "a-desk-token"
NOTIFIED: list[str] = []


class Noted:
    """A notifier that notes what it is told."""

    def __init__(self, to: str) -> None:
        self.to = to

    def __call__(self, context) -> None:
        NOTIFIED.append(f"{self.to}: {context['alert'].subject}")


@pytest.fixture
def monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A monitor whose services all run, and whose model server answers as its champion."""
    (tmp_path / "storage").mkdir()
    labels = {"backend": "desk", "sample_size": 90, "price_per_hour": 20, "control_tasks": 10}
    path = monitor_file(
        tmp_path,
        labels={**labels, "project_name": "Shades", "question": "Which?", "instructions": "Look."},
        notifiers=[{"notifier": "tests.driftwatch.cli.test_doctor.Noted", "arguments": {"to": "ann"}}],
        publish={"sinks": ["local"]},
    )
    desk = create_app(Settings(f"sqlite:///{tmp_path}/desk.db", token=DESK_TOKEN))
    with serving(monkeypatch), running(desk) as url, running(images.create_app(tmp_path / "storage", SECRET)) as shown:
        _connect(monkeypatch, "driftwatch_desk_default", conn_type="driftwatch_desk", host=url, password=DESK_TOKEN)
        _connect(monkeypatch, "driftwatch_images", conn_type="http", host=shown, password=SECRET)
        yield path


def _connect(patch: pytest.MonkeyPatch, connection: str, **fields: str) -> None:
    patch.setenv(f"AIRFLOW_CONN_{connection.upper()}", json.dumps({**fields, "extra": {"retries": 0}}))


def doctor(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """The exit code, the table without its line ends, and standard error."""
    code = cli.main(["doctor", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, " ".join(captured.out.split()), captured.err


def test_where_all_is_well_each_service_is_asked_nothing_is_left_and_it_ends_with_zero(monitor, capsys) -> None:
    assert cli.main(["champion", "import", str(monitor), "--images", str(monitor.parent / "images")]) == 0
    capsys.readouterr()
    before = {path: path.stat().st_mtime_ns for path in monitor.parent.rglob("*") if path.is_file()}
    code, said, error = doctor(capsys, monitor)
    assert (code, error) == (0, ""), said + error
    for line in (
        "ok storage: create it only where there is none",
        "ok links by which people see images driftwatch_images: a link works, and lives for 52 hours, or is made anew",
        "ok label service desk: The desk knows this token as airflow",
        "(endpoint) loads and answers 2 images",
        "ok what a day is compared with: 120 images of v0001-",
        "it can be made; nothing was sent",
        "agrees with this machine's",
        "ok labels for a verdict: 90 a day, where a verdict takes 30",
        "30 such days 300.00 USD",
        ", wrong 0",
    ):
        assert line in said, said
    after = {path: path.stat().st_mtime_ns for path in monitor.parent.rglob("*") if path.is_file()}
    changed = {path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed <= {"desk.db", "desk.db-shm", "desk.db-wal"}  # SQLite's
    assert not NOTIFIED
    assert not [secret for secret in (TOKEN, SECRET, DESK_TOKEN) if secret in said]


def test_each_illness_has_its_line_with_what_to_do_and_the_others_are_looked_for_all_the_same(
    monitor, capsys, monkeypatch
) -> None:
    _connect(
        monkeypatch, "driftwatch_desk_default", conn_type="driftwatch_desk", host="http://127.0.0.1:9", password="x"
    )
    monkeypatch.delenv("AIRFLOW_CONN_MODELS")
    settings = yaml.safe_load(monitor.read_text())
    settings["labels"] |= {"sample_size": 10, "max_cost_per_day": 0.01}
    monitor.write_text(yaml.safe_dump(settings), encoding="utf-8")
    code, said, error = doctor(capsys, monitor)
    assert code == 1
    assert ", wrong " in error
    for line in (
        "WRONG connection models (model.endpoint.connection): there is no Airflow connection 'models'",
        "-> make the connection under Admin > Connections",
        "WRONG label service desk",
        "-> start what should answer there, or correct the address",
        "WRONG champion: shades has no champion",
        "WRONG cost of labels: a full day costs more than labels.max_cost_per_day: such days will be refused",
        "WRONG labels for a verdict: labels.sample_size is below performance.min_labels: no day will ever have a verdict",
        "ok storage: remove it",
    ):
        assert line in said, said


def test_a_storage_folder_that_is_not_there_is_said_and_not_made(monitor, capsys) -> None:
    folder = monitor.parent / "storage"
    folder.rmdir()
    code, said, _ = doctor(capsys, monitor)
    assert code == 1  # there is no champion either
    assert f"look storage: {folder} is not there yet: the first command that writes makes it. Mount it first" in said
    assert "- storage: create an object: the folder is not there yet, and the doctor makes none" in said
    assert not folder.exists()
    folder.mkdir()
    assert "ok storage: remove it" in doctor(capsys, monitor)[1]
    assert list(folder.iterdir()) == []


def test_a_link_that_shows_nothing_is_found_before_people_do(monitor, capsys, monkeypatch) -> None:
    connection = json.loads(os.environ["AIRFLOW_CONN_DRIFTWATCH_IMAGES"])
    _connect(monkeypatch, "driftwatch_images", **{**connection, "password": "another-secret"})
    code, said, _ = doctor(capsys, monitor)
    assert code == 1
    assert "WRONG links by which people see images driftwatch_images: a signed link to" in said
    assert "gives HTTP 403, and annotators would see nothing" in said


def test_only_with_notify_a_test_message_is_sent_and_a_notifier_that_cannot_be_made_is_found(monitor, capsys) -> None:
    settings = yaml.safe_load(monitor.read_text())
    settings["notifiers"].append({"notifier": "no_such.Notifier"})
    monitor.write_text(yaml.safe_dump(settings), encoding="utf-8")
    NOTIFIED.clear()
    code, said, _ = doctor(capsys, monitor, "--notify")
    assert NOTIFIED == ["ann: This is a test of shades's notifier"]
    assert "a test message was sent" in said
    assert "WRONG notifier no_such.Notifier: ModuleNotFoundError" in said
    assert code == 1
    NOTIFIED.clear()


def test_a_monitor_file_that_is_refused_ends_with_two(tmp_path, capsys) -> None:
    (tmp_path / "bad.yaml").write_text("name: x\n", encoding="utf-8")
    assert doctor(capsys, tmp_path / "bad.yaml")[0] == 2
