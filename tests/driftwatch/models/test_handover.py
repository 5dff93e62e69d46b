"""What is handed over to a team: the images to train on, and of those that judge models nothing but their ids."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import registry
from driftwatch.models.damage import apply_damage
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.handover import hand_over

CLEAN, BROKEN = date(2026, 1, 3), date(2026, 1, 4)


@pytest.fixture
def store(world) -> MonitorStore:
    """A clean day and one that alerts, collected as the set of the run `r1`."""
    world.add_day(CLEAN, 30)
    world.add_day(BROKEN, 60, lambda rgb: apply_damage(rgb, "brightness", 0.2), verdict="alert")
    made = monitor_store(world.storage, world.layout, world.config)
    collect_training_set(made, "r1", CLEAN, BROKEN)
    return made


def tables(store: MonitorStore, found: Handover):
    keys = store.keys.of_retraining("r1").handover
    return [store.storage.read_table(keys.file(file.name)) for file in (found.set, found.never_train)]


def test_a_team_gets_each_image_to_train_on_by_its_key_and_sha256_and_none_that_judges_models(store) -> None:
    found = hand_over(store, "r1", "alice")
    learnt, never = tables(store, found)
    collected = store.storage.read_table(store.keys.retraining("r1", "set.parquet"))
    assert set(learnt["image_id"]) == set(collected.loc[collected["split"] != "evaluation", "image_id"])
    assert set(learnt["split"]) == {"train", "validation"}
    assert set(learnt["source"]) == {"original", "human"}
    for image_id, key in zip(learnt["image_id"].iloc[::40], learnt["key"].iloc[::40], strict=True):
        assert hashlib.sha256(store.storage.read_bytes(key)).hexdigest() == image_id
    judging = set(collected.loc[collected["split"] == "evaluation", "image_id"])
    assert judging
    assert judging <= set(never["image_id"])
    assert list(never.columns) == ["image_id"]
    assert not set(never["image_id"]) & set(learnt["image_id"])


def test_the_manifest_says_what_the_model_must_be_and_what_lies_there(store) -> None:
    found = hand_over(store, "r1", "alice")
    assert (found.monitor, found.run_key, found.requested_by) == ("stripes", "r1", "alice")
    assert found.champion == registry.champion_version(store)
    assert (found.classes, found.input.height, found.input.width) == (("across", "upright"), 32, 32)
    assert (found.first_day, found.last_day) == (CLEAN, BROKEN)
    assert found.place == store.storage.url("stripes/retraining/r1/handover")
    learnt, never = tables(store, found)
    for file, table in ((found.set, learnt), (found.never_train, never)):
        data = store.storage.read_bytes(store.keys.of_retraining("r1").handover.file(file.name))
        assert (file.rows, file.sha256) == (len(table), hashlib.sha256(data).hexdigest())
    assert found.splits == learnt["split"].value_counts().to_dict()
    assert found.damage is None  # imitate_drift is off


def test_weights_draw_the_labels_of_the_alerting_day_as_often_as_training_here_would(store) -> None:
    learnt, _ = tables(store, hand_over(store, "r1", "alice"))
    train = learnt[learnt["split"] == "train"]
    recent = train["day"] == str(BROKEN)
    once, of_label = train.loc[~recent, "weight"].unique(), train.loc[recent, "weight"].unique()
    assert len(once) == len(of_label) == 1
    expected = min(0.5 / recent.sum(), 10 * once[0])
    assert of_label[0] == pytest.approx(expected)
    assert once[0] == pytest.approx(0.5 / (~recent).sum())


def test_the_damage_of_drifted_days_is_told_where_it_is_looked_for(store) -> None:
    imitating = store.config.retraining.model_copy(update={"imitate_drift": True})
    found = hand_over(store.with_config(store.config.model_copy(update={"retraining": imitating})), "r1", "alice")
    assert found.damage is not None
    assert found.damage.kind == "brightness"


def test_what_was_handed_over_stays_as_it_is(store) -> None:
    first = hand_over(store, "r1", "alice")
    folder = store.keys.of_retraining("r1").handover.folder
    before = {item.key: store.storage.read_bytes(item.key) for item in store.storage.list(folder)}
    assert len(before) == 3
    assert hand_over(store, "r1", "bob") == first
    assert {item.key: store.storage.read_bytes(item.key) for item in store.storage.list(folder)} == before
    store.storage.delete(store.keys.of_retraining("r1").handover.manifest)  # as a kill before the manifest leaves it
    assert hand_over(store, "r1", "alice") == first
    assert {item.key: store.storage.read_bytes(item.key) for item in store.storage.list(folder)} == before
