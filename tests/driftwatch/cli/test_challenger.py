"""`driftwatch challenger register`: what it says of a model that came back, and of one that did not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.cards import model_card
from tests.driftwatch.artifacts import samples
from tests.stores import SMALLEST, monitor_store

from driftwatch import cli
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import own_model, registry, returned
from driftwatch.models.diagnosis import Better, Diagnosis
from driftwatch.models.metrics import share
from driftwatch.storage import open_storage


@pytest.fixture
def store(tmp_path: Path) -> MonitorStore:
    """A champion, and a set that the run `r1` handed over."""
    made = monitor_store(open_storage(f"file://{tmp_path}/storage"), MonitorKeys("demo"))
    for number in (1, 2):
        registry.register(made, f"v000{number}-0000000{number}", b"model %d" % number, model_card())
    registry.promote(made, "v0001-00000001", "test", None)
    handover = {**samples.HANDOVER, "run_key": "r1"}
    made.storage.write_json(made.keys.of_retraining("r1").handover.manifest, handover)
    (tmp_path / "demo.yaml").write_text(yaml.safe_dump({**SMALLEST, "storage": {"uri": f"file://{tmp_path}/storage"}}))
    return made


def register(tmp_path: Path, capsys, *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["challenger", "register", str(tmp_path / "demo.yaml"), *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_it_says_how_the_comparison_is_started(store, tmp_path, capsys, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(returned, "register_challenger", lambda store, *given: seen.append(given) or "v0002-00000002")
    monkeypatch.setattr(own_model, "examine_version", lambda *_: Diagnosis(share(9, 10, 0.95), 0.5, 0.001, 0.001, ()))
    code, out, error = register(tmp_path, capsys, "model.onnx", "--run", "r1", "--by", "vision team")
    assert (code, error) == (0, "")
    assert seen == [("model.onnx", "r1", "vision team")]
    first, second = out.splitlines()
    assert first.startswith("Challenger v0002-00000002: accuracy ")
    assert first.endswith("the champion is v0001-00000001")
    command, _, conf = second.partition(" --conf ")
    assert command == "Compare them: airflow dags trigger demo_retraining --run-id challenger__v0002-00000002"
    assert json.loads(conf.strip("'")) == {"challenger": "v0002-00000002"}


def test_a_model_whose_outputs_are_in_another_order_is_told_before_it_is_compared(
    store, tmp_path, capsys, monkeypatch
) -> None:
    """It was registered at 12.5 % of three classes without a word, and the gate said no an hour later."""
    monkeypatch.setattr(returned, "register_challenger", lambda *_: "v0002-00000002")
    found = Diagnosis(share(10, 100, 0.95), 0.5, 1.0, 0.0001, (Better((), ("dog", "cat"), 0.9),))
    monkeypatch.setattr(own_model, "examine_version", lambda *_: found)
    code, out, _ = register(tmp_path, capsys, "model.onnx", "--run", "r1")
    assert code == 0
    warning, command = out.splitlines()[1:]
    assert warning.startswith("Warning: v0002-00000002 is right on 10.0%")
    assert command.startswith("Compare them: ")


def test_a_run_that_handed_nothing_over_ends_in_one_message_that_names_those_that_did(store, tmp_path, capsys) -> None:
    code, out, error = register(tmp_path, capsys, "model.onnx", "--run", "r2")
    assert (code, out) == (1, "")
    assert "'r2' handed no training set over; these did: r1" in error
    assert len(error.strip().splitlines()) == 1


def test_the_run_must_be_named(store, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit):
        register(tmp_path, capsys, "model.onnx")
    assert "--run" in capsys.readouterr().err


def test_a_model_of_mlflow_is_asked_for_where_registry_mlflow_says(store, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(returned, "register_challenger", lambda *_: pytest.fail("there is no file yet"))
    code, _, error = register(tmp_path, capsys, "models:/cats/3", "--run", "r1")
    assert code == 1
    assert "demo has no registry.mlflow in its monitor file" in error
