"""A command that changes the registry says whether MLflow shows it, and its success does not depend on that."""

from __future__ import annotations

import json
import socket

import pytest
import yaml
from tests.cards import model_card
from tests.stores import SMALLEST

from driftwatch import cli
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.loader import load_monitor
from driftwatch.models import registry
from driftwatch.storage import open_storage


@pytest.fixture
def two_champions(tmp_path, monkeypatch):
    """A monitor file, and the store with two versions of which the second serves. MLflow's address is one where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    connection = {"conn_type": "http", "host": "127.0.0.1", "port": port, "extra": {"retries": 0, "timeout": 2}}
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_DEFAULT", json.dumps(connection))
    uri = f"file://{tmp_path}/storage"
    settings = {**SMALLEST, "storage": {"uri": uri}, "registry": {"mlflow": {"connection": "mlflow_default"}}}
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    store = MonitorStore(open_storage(uri), load_monitor(path))
    versions, before = [], None
    for content in (b"one", b"two"):
        version = registry.version_for(store, content)
        registry.register(store, version, content, model_card(classes=["cat", "dog"], input_size=64))
        before = registry.promote(store, version, "test", expected=before).version
        versions.append(version)
    return path, store, versions


def test_a_rollback_is_done_though_mlflow_is_down_and_says_both(two_champions, capsys, monkeypatch):
    import driftwatch.models.rollback

    monkeypatch.setattr(
        driftwatch.models.rollback, "refuse_other", lambda *_: None
    )  # what the model is given is no matter here
    path, store, (first, _) = two_champions
    assert cli.main(["champion", "rollback", str(path)]) == 0
    said = capsys.readouterr()
    assert f"{first} is the champion again" in said.out
    assert "done, but MLflow does not show it yet: MLflow did not answer GET" in said.err
    assert "`driftwatch models demo.yaml mlflow`" in said.err
    assert registry.champion_version(store) == first


def test_asked_to_bring_mlflow_up_it_fails_where_mlflow_is_down(two_champions, capsys):
    path, _, _ = two_champions
    assert cli.main(["models", str(path), "mlflow"]) == 1
    assert "MLflow did not answer GET" in capsys.readouterr().err


def test_a_monitor_without_mlflow_is_told_which_setting_it_lacks(two_champions, capsys):
    path, _, _ = two_champions
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    del settings["registry"]
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    assert cli.main(["models", str(path), "mlflow"]) == 1
    assert "demo has no registry.mlflow in its monitor file" in capsys.readouterr().err
    assert cli.main(["champion", "import", str(path), "models:/cats/1", "--replace"]) == 1
    assert "demo has no registry.mlflow in its monitor file" in capsys.readouterr().err
