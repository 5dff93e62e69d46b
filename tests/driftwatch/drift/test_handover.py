"""A version gets its references before it becomes the champion, and only one that passed the gate becomes it.

tests/driftwatch/models/test_retraining.py promotes a challenger that learnt from people's labels.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.models.conftest import CLASSES, train
from tests.once import once_for_all_workers

from driftwatch.artifacts.reference import ReferenceSettings, UsualPredictions
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift.handover import GateNotPassed, ReferenceCounts, build_reference_of, promote_challenger
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.storage import open_storage

IMAGES = 150  # of each class


def store_at(root: Path, **changed: object) -> MonitorStore:
    config = {
        "name": "stripes",
        "classes": CLASSES,
        "schedule": {"start_date": "2026-01-01"},
        "storage": {"uri": f"file://{root}"},
        "model": {"input_size": 32},
        "annotation": {"project_name": "Stripes", "question": "Which?", "instructions": "Look."},
        **changed,
    }
    return MonitorStore(open_storage(f"file://{root}"), MonitorConfig.model_validate(config))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The model and its training set that tests/driftwatch/models has, without references and not yet the champion."""
    root = tmp_path_factory.mktemp("stripes") / "storage"
    shutil.copytree(once_for_all_workers(tmp_path_factory, "trained", train), root)
    store = store_at(root)
    version = registry.champion_version(store)
    for item in store.storage.list(f"{store.keys.monitor}/reference"):
        store.storage.delete(item.key)
    store.storage.delete(store.keys.champion)
    return root, version


def test_the_references_are_of_all_images_and_of_those_held_out(trained):
    root, version = trained
    store = store_at(root)
    counts = build_reference_of(store, version)
    usual = store.read(store.keys.reference_predictions(version), UsualPredictions)
    assert counts == ReferenceCounts(version, 2 * IMAGES, usual.images)
    assert 0 < usual.images < IMAGES
    assert set(usual.counts) == set(CLASSES)
    assert store.read(store.keys.reference(version), ReferenceSettings).images == 2 * IMAGES
    assert store.storage.exists(store.keys.reference_profile(version))


def test_where_production_answers_the_days_the_embeddings_of_a_registered_file_make_no_reference(trained):
    root, version = trained
    logged = {"path": "logs/{day}/*", "columns": {"key": "file", "prediction": "said", "embedding": "vector"}}
    store = store_at(root, model={"input_size": 32, "predictions": "logged", "logged": logged})
    build_reference_of(store, version)
    assert store.read(store.keys.reference_predictions(version), UsualPredictions).content == "gist"


def test_a_monitor_file_with_other_classes_gets_no_reference(trained):
    root, version = trained
    with pytest.raises(NeedsAttention, match="its outputs are"):
        build_reference_of(store_at(root, classes=["across", "askew"]), version)


def put_gate(store: MonitorStore, version: str, decision: str) -> None:
    gate = {**samples.GATE, "version": version, "champion": "v0000-00000000", "decision": decision, "run_key": "r1"}
    store.storage.write_json(store.keys.retraining("r1", "gate.json"), gate)


def test_a_challenger_that_did_not_pass_the_gate_is_not_promoted(trained):
    root, version = trained
    store = store_at(root)
    put_gate(store, version, "keep")
    with pytest.raises(GateNotPassed, match=f"{version} is not promoted, the gate says keep"):
        promote_challenger(store, "r1", "run r1")
    assert not store.storage.exists(store.keys.champion)


def test_the_references_are_there_before_the_pointer_moves(trained):
    """The champion is another than the gate compared with, so the pointer stays; the references came first."""
    root, version = trained
    store = store_at(root)
    put_gate(store, version, "promote")
    store.storage.delete(store.keys.reference(version))
    store.storage.delete(store.keys.reference_predictions(version))
    with pytest.raises(registry.ChampionMoved):
        promote_challenger(store, "r1", "run r1")
    assert store.storage.exists(store.keys.reference(version))
    assert store.storage.exists(store.keys.reference_predictions(version))
    assert not store.storage.exists(store.keys.champion)
