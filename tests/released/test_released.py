"""Each released version's storage, as make_storage.py made it with that version: it is migrated, and days are run on top of it.

A new release adds its archive here.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.migration import findings
from driftwatch.cli import main
from driftwatch.storage import Storage, open_storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.world import World

from .make_storage import DAYS, run_dag, start

HERE = Path(__file__).parent
VERSIONS = sorted(path.name.removesuffix(".tar.xz") for path in HERE.glob("*.tar.xz"))
ON_TOP = week.DAYS[len(DAYS) : len(DAYS) + 2]
KEYS = MonitorKeys("cats_vs_dogs")


@pytest.fixture(params=VERSIONS)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the version left: storage, monitors, truth.csv."""
    with tarfile.open(HERE / f"{request.param}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    for day in (*DAYS, *ON_TOP):
        # An image that was written a moment ago may still grow.
        for path in (tmp_path / "storage" / KEYS.day(day).incoming).iterdir():
            os.utime(path, (0, 0))
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}/storage")
    return tmp_path


@pytest.fixture
def storage(home: Path) -> Storage:
    return open_storage(f"file://{home}/storage")


@pytest.fixture
def command(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs `driftwatch`; what it printed. FILE is the version's monitor file."""

    def run(*words: str) -> str:
        (file,) = (home / "monitors").iterdir()
        code = main([str(file) if word == "FILE" else word for word in words])
        shown = capsys.readouterr()
        assert code == 0, shown.err
        return shown.out

    return run


def numbers(storage: Storage, day: date) -> dict[str, Any]:
    """What people were told of a day."""
    performance, drift = storage.read_json(KEYS.day(day).performance), storage.read_json(KEYS.day(day).drift)
    return {
        "accuracy": performance["accuracy"],
        "labels": performance["labels"],
        "verdict": performance["verdict"],
        "drift": drift["verdict"],
        "p_value": drift["p_value"],
    }


def migrated(command: Callable[..., str], storage: Storage) -> None:
    """By the command, as an operator does it."""
    before = {day: numbers(storage, day) for day in DAYS}
    command("migrate", storage.uri)
    command("migrate", storage.uri, "--apply")
    assert list(findings(storage)) == []
    assert {day: numbers(storage, day) for day in DAYS} == before


def test_there_is_a_storage_of_each_version(root: Path) -> None:
    headings = [line.split()[1] for line in (root / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings == VERSIONS[::-1]


def test_its_file_is_valid_its_artifacts_are_migrated_and_its_days_are_told(home, storage, command):
    assert "valid. Monitor cats_vs_dogs" in command("check", "FILE")
    migrated(command, storage)
    assert str(DAYS[-1]) in command("verdicts", "FILE")
    assert command("now", "FILE")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.all_faults("it runs two days and a retraining on the storage of each version")
def test_days_and_a_retraining_run_on_top_of_it(home, storage, command):
    migrated(command, storage)
    before = {day: numbers(storage, day) for day in DAYS}
    world = World(home)
    try:
        start(world)
        run_dag(world, "cats_vs_dogs_monitoring", *ON_TOP)
        for day in ON_TOP:
            told = numbers(storage, day)
            assert told["labels"] > 0
            assert told["verdict"] in ("ok", "alert", "not_enough_evidence")
        run_dag(world, "cats_vs_dogs_retraining", "by_hand")
    finally:
        world.processes.stop()
    assert {day: numbers(storage, day) for day in DAYS} == before
    sets = [key for key in (item.key for item in storage.list(KEYS.monitor)) if key.endswith("/dataset_card.json")]
    newest = max(storage.read_json(key)["last_day"] for key in sets)
    assert newest >= str(ON_TOP[0]), "the retraining did not learn from the days of both versions"
