"""MLflow shows what the registry has, once, whatever fails in between; and it decides nothing."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest
from tests.door import Fault
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.mlflow import MlflowRecord
from driftwatch.artifacts.retraining import GateResult
from driftwatch.errors import AccessRefused, NeedsAttention
from driftwatch.http import ServiceError
from driftwatch.models import registry
from driftwatch.models.mlflow.mirror import show_versions


def test_a_version_is_shown_with_its_tags_metrics_card_and_file(shown):
    version = shown.register(b"first model")
    shown.promote(version)
    record = show_versions(shown.store)
    (there,) = shown.versions
    card = registry.card(shown.store, version)
    assert record.shown == {version: there["version"]} == {version: "1"}
    assert there["tags"]["driftwatch.monitor"] == "demo"
    assert there["tags"]["driftwatch.version"] == version
    assert there["tags"]["driftwatch.sha256"] == hashlib.sha256(b"first model").hexdigest()
    assert shown.file("1", "model.keras") == b"first model"
    assert json.loads(shown.file("1", "card.json")) == card.stored()
    metrics = shown.get("runs/get", run_id=there["run_id"])["run"]["data"]["metrics"]
    told = {one["key"]: one["value"] for one in metrics}
    assert told["holdout.accuracy"] == pytest.approx(card.metrics.holdout.accuracy.value)
    assert told["holdout.images"] == card.metrics.holdout.n
    assert shown.aliases == {"champion": "1"}


def test_the_challenger_has_an_alias_until_it_is_champion_and_a_rollback_moves_both_back(shown):
    first = shown.register(b"one")
    shown.promote(first)
    second = shown.register(b"two")
    show_versions(shown.store)
    assert shown.aliases == {"champion": "1", "challenger": "2"}
    shown.promote(second)
    show_versions(shown.store)
    assert shown.aliases == {"champion": "2"}
    shown.promote(first)
    show_versions(shown.store)
    assert shown.aliases == {"champion": "1"}


def test_what_the_gate_found_later_comes_after_the_version(shown):
    version = shown.register(b"one")
    show_versions(shown.store)
    gate = GateResult.model_validate_json(json.dumps(samples.GATE))
    registry.add_to_card(shown.store, version, gate=gate)
    show_versions(shown.store)
    (there,) = shown.versions
    assert there["tags"]["driftwatch.gate"] == gate.decision
    assert json.loads(shown.file("1", "card.json"))["gate"]["decision"] == gate.decision


def test_a_second_call_writes_nothing(shown):
    shown.promote(shown.register(b"one"))
    first = show_versions(shown.store)
    shown.door.asked.clear()
    assert show_versions(shown.store) == first
    assert [asked for asked in shown.door.asked if not asked.startswith("GET")] == []


WRITES = (
    "POST .*registered-models/create",
    "POST .*experiments/create",
    "POST .*runs/create",
    "POST .*runs/log-batch",
    "PUT .*model.keras",
    "PUT .*card.json",
    "POST .*runs/update",
    "POST .*model-versions/create",
    "POST .*registered-models/alias",
)


@pytest.mark.parametrize(
    "fault", ["lost", pytest.param("503", marks=pytest.mark.all_faults("one fault is in the plain suite"))]
)
def test_a_call_that_breaks_at_any_write_is_caught_up_by_the_next_in_one_version(shown, fault):
    version = shown.register(b"one")
    shown.promote(version)
    for write in WRITES:  # each call gets one write further
        shown.door.faults = [Fault(fault, write, times=1)]
        with pytest.raises(ServiceError, match="MLflow"):
            show_versions(shown.store)
        problem = shown.store.read(shown.store.keys.mlflow, MlflowRecord).problem
        assert problem is not None
        assert "MLflow" in problem
        assert shown.door.faults[0].times == 0, f"nothing was asked like {write}"
    record = show_versions(shown.store)
    assert record.problem is None
    assert [one["tags"]["driftwatch.version"] for one in shown.versions] == [version]
    assert shown.aliases == {"champion": "1"}
    runs = shown.post("runs/search", experiment_ids=[shown.get("experiments/get-by-name", experiment_name=shown.model)["experiment"]["experiment_id"]])  # fmt: skip
    assert len(runs["runs"]) == 1
    assert registry.champion_version(shown.store) == version


def test_a_slow_mlflow_is_not_waited_for_beyond_its_time(shown):
    shown.store.read_access("mlflow_default", "registry.mlflow.connection").extras["timeout"] = 0.2
    shown.door.faults = [Fault("slow")]
    with pytest.raises(ServiceError, match="MLflow did not answer GET"):
        show_versions(shown.store)


def test_a_wrong_token_is_told_without_it(shown):
    wrong = "quite-another-token"
    access = shown.store.read_access("mlflow_default", "registry.mlflow.connection")
    object.__setattr__(access, "secret", wrong)
    with pytest.raises(AccessRefused, match="check the secret and the address in the Airflow connection") as refused:
        show_versions(shown.store)
    assert wrong not in str(refused.value)


def test_an_alias_that_somebody_moved_is_told_left_alone_and_taken_back_by_the_next_promotion(shown):
    first, second = shown.register(b"one"), shown.register(b"two")
    shown.promote(first)
    shown.promote(second)
    show_versions(shown.store)
    shown.post("registered-models/alias", name=shown.model, alias="champion", version="1")
    record = show_versions(shown.store)
    assert (record.moved.stands_at, record.moved.version, record.moved.found_at) == ("1", first, second)
    assert shown.aliases == {"champion": "1"}
    assert registry.champion_version(shown.store) == second
    third = shown.register(b"three")
    assert show_versions(shown.store).moved is not None
    shown.promote(third)
    assert show_versions(shown.store).moved is None
    assert shown.aliases == {"champion": "3"}


def test_a_champion_that_the_team_had_there_before_is_not_taken_over_by_the_first_look(shown):
    theirs = shown.log_files({"model.onnx": b"theirs"})
    shown.post("registered-models/alias", name=shown.model, alias="champion", version=theirs)
    shown.promote(shown.register(b"one"))
    record = show_versions(shown.store)
    assert (record.moved.stands_at, record.moved.version) == (theirs, None)
    assert shown.aliases == {"champion": theirs}


def test_an_alias_that_was_deleted_there_is_set_again(shown):
    shown.promote(shown.register(b"one"))
    show_versions(shown.store)
    body = {"name": shown.model, "alias": "champion"}
    httpx.request("DELETE", f"{shown.server}/api/2.0/mlflow/registered-models/alias", json=body).raise_for_status()
    show_versions(shown.store)
    assert shown.aliases == {"champion": "1"}


def test_two_monitors_do_not_share_a_registered_model(shown):
    shown.post("registered-models/create", name=shown.model, tags=[{"key": "driftwatch.monitor", "value": "dogs"}])
    with pytest.raises(NeedsAttention, match="shows the versions of the monitor dogs"):
        show_versions(shown.store)


def test_a_version_whose_file_is_gone_is_shown_by_its_card(shown):
    version = shown.register(b"one")
    shown.store.storage.delete(shown.store.keys.model(version))
    show_versions(shown.store)
    (there,) = shown.versions
    assert "not kept any more" in there["description"]
    assert json.loads(shown.file("1", "card.json"))["version"] == version


def test_a_monitor_without_registry_mlflow_asks_nobody(shown):
    from driftwatch.config.registry import RegistryConfig

    config = shown.store.config.model_copy(update={"registry": RegistryConfig()})
    assert show_versions(shown.store.with_config(config)) is None
    assert shown.door.asked == []
