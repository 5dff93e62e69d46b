"""What a rollback would do is told without doing it. The plan of a retraining stands in test_retraining: it needs a trained model."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from tests.cards import model_card
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.retraining import DatasetCard
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry, retraining_plan
from driftwatch.models.retraining_plan import plan_retraining, plan_rollback
from driftwatch.storage import open_storage


def measured(accuracy: float) -> dict[str, object]:
    holdout = samples.FIRST_CARD["metrics"]["holdout"]
    return {"holdout": {**holdout, "accuracy": {**holdout["accuracy"], "value": accuracy}}}


@pytest.fixture
def store(tmp_path: Path) -> MonitorStore:
    return monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))


def champion(store: MonitorStore, content: bytes, accuracy: float) -> str:
    version, current = registry.version_for(store, content), registry.champion(store)
    registry.register(store, version, content, model_card(metrics=measured(accuracy)))
    registry.promote(store, version, "test", expected=current.version if current else None)
    return version


def test_a_rollbacks_plan_has_both_versions_with_their_own_accuracy_and_writes_nothing(store: MonitorStore) -> None:
    first, second = champion(store, b"one", 0.91), champion(store, b"two", 0.83)
    before = {item.key: store.storage.read_bytes(item.key) for item in store.storage.list("demo")}
    plan = plan_rollback(store, None)
    assert (plan.version, plan.version_accuracy.value) == (first, 0.91)
    assert (plan.champion, plan.champion_accuracy.value) == (second, 0.83)
    assert plan_rollback(store, first) == plan
    assert {item.key: store.storage.read_bytes(item.key) for item in store.storage.list("demo")} == before


def test_a_plan_is_refused_where_the_rollback_would_be(store: MonitorStore) -> None:
    with pytest.raises(NeedsAttention, match="no earlier champion"):
        plan_rollback(store, None)
    champion(store, b"one", 0.9)
    with pytest.raises(NeedsAttention, match="no earlier champion"):
        plan_rollback(store, None)
    with pytest.raises(registry.UnknownVersion, match="v0099-00000000"):
        plan_rollback(store, "v0099-00000000")


def test_the_plan_of_a_hand_over_trains_nothing_to_measure_the_time(store: MonitorStore, monkeypatch) -> None:
    found = DatasetCard.model_validate_json(json.dumps(samples.DATASET_CARD))
    monkeypatch.setattr(retraining_plan, "dataset_card", lambda *given: found)
    settings = store.config.retraining.model_copy(update={"trainer": "handover"})
    handing = store.with_config(store.config.model_copy(update={"retraining": settings}))
    first = champion(store, b"one", 0.91)
    plan = plan_retraining(handing, date(2026, 1, 1), date(2026, 1, 8))
    assert (plan.set, plan.seconds, plan.champion) == (found, None, first)
