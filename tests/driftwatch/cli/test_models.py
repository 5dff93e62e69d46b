"""`driftwatch models`: what it prints of the registered versions."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.cards import model_card
from tests.stores import SMALLEST, monitor_store

from driftwatch import cli
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.models import registry
from driftwatch.storage import open_storage

LONG = "süße Zitrone, ungeschält"


@pytest.fixture
def monitor(tmp_path: Path) -> Path:
    uri = f"file://{tmp_path}/storage"
    file = tmp_path / "demo.yaml"
    file.write_text(yaml.safe_dump({**SMALLEST, "storage": {"uri": uri}}), encoding="utf-8")
    return file


def test_two_versions_stand_in_columns_whatever_their_classes_are_called(monitor, tmp_path, capsys) -> None:
    store = monitor_store(open_storage(f"file://{tmp_path}/storage"), MonitorKeys("demo"))
    metrics = model_card().metrics
    (first, *_) = metrics.holdout.classes.values()
    holdout = metrics.holdout.model_copy(update={"classes": {LONG: first}})
    card = model_card().model_copy(update={"metrics": metrics.model_copy(update={"holdout": holdout})})
    versions = ("v0001-00000001", "v0002-00000002")
    for version in versions:
        registry.register(store, version, version.encode(), card)
    assert cli.main(["models", str(monitor), "compare", *versions]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(f"holdout recall {LONG}  ") for line in lines)
    assert {line[len(f"holdout recall {LONG}") :][:2] for line in lines} == {"  "}


def test_without_a_model_it_says_where_the_first_ones_command_stands(monitor, capsys) -> None:
    """It named `champion train`, also to a monitor of a model server, which trains none."""
    assert cli.main(["models", str(monitor)]) == 0
    assert "driftwatch check names the command" in capsys.readouterr().out
