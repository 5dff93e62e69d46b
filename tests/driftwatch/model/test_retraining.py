"""A retraining from the labels to the champion and back, on a camera that sees too little light."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from driftwatch.model import registry
from driftwatch.model.challenger import CHALLENGER, train_challenger
from driftwatch.model.damage import apply_damage
from driftwatch.model.dataset import collect_training_set
from driftwatch.model.gate import GATE, evaluate_challenger
from driftwatch.model.handover import GateNotPassed, build_reference_of, promote_challenger, rollback
from driftwatch.model.predict import predict_day

CLEAN, BROKEN = date(2026, 1, 3), date(2026, 1, 4)


def darkened(rgb: np.ndarray) -> np.ndarray:
    return apply_damage(rgb, "brightness", 0.2)


@pytest.fixture
def days(world):
    """A clean day and a broken one that alerts, collected as the set of the run `r1`."""
    world.add_day(CLEAN, 60)
    world.add_day(BROKEN, 150, darkened, verdict="alert")
    collect_training_set(world.storage, world.layout, world.config, "r1", CLEAN, BROKEN)
    return world


def train(world, tmp_path, run_key: str = "r1", **options: object) -> str:
    return train_challenger(world.storage, world.layout, world.config, run_key, "alice", tmp_path / "work", **options)


def predictions(world) -> bytes:
    version = registry.champion_version(world.storage, world.layout)
    predict_day(world.storage, world.layout.day(BROKEN), world.layout, world.config, version)
    return world.storage.read_bytes(world.layout.day(BROKEN).predictions)


def test_a_better_challenger_is_promoted_and_a_rollback_brings_the_old_answers_back(days, tmp_path) -> None:
    parent = registry.champion_version(days.storage, days.layout)
    before = predictions(days)
    version = train(days, tmp_path, epochs=4)
    gate = evaluate_challenger(days.storage, days.layout, days.config, "r1")
    assert (gate["decision"], gate["recent_days"], gate["clean_days"]) == ("promote", [str(BROKEN)], [str(CLEAN)])
    assert evaluate_challenger(days.storage, days.layout, days.config, "r1") == gate
    card = registry.card(days.storage, days.layout, version)
    assert (card["gate"], card["parent"], card["created_by"]) == (gate, parent, "alice")
    rows = days.storage.read_table(days.layout.model_evaluation(version))
    repaired = rows.set_index("image_id").loc[gate["recent"]["repaired"][0]]
    assert repaired["challenger"] == repaired["label"] != repaired["champion"]
    assert not set(rows["image_id"]) & trained_on(days)

    pointer = promote_challenger(days.storage, days.layout, days.config, "r1", "run r1")
    assert (pointer["version"], pointer["previous"]) == (version, parent)
    counts = build_reference_of(days.storage, days.layout, days.config, version)
    assert counts["human"] == card["data"]["new_labels"] - int((rows["day"] != "").sum())
    assert predictions(days) != before

    for _ in range(2):  # a repeated task does not roll forward again
        assert rollback(days.storage, days.layout, None, "rollback run")["version"] == parent
    assert predictions(days) == before


def trained_on(world) -> set[str]:
    table = world.storage.read_table(world.layout.retraining("r1", "set.parquet"))
    return set(table.loc[table["split"] != "evaluation", "image_id"])


def test_the_same_run_trains_once_and_a_lost_note_gives_the_same_version(days, tmp_path) -> None:
    version = train(days, tmp_path, epochs=1)
    seen: list[dict] = []
    assert train(days, tmp_path, epochs=1, on_epoch=seen.append) == version
    assert seen == []
    days.storage.delete(days.layout.retraining("r1", CHALLENGER))
    assert train(days, tmp_path, epochs=1, on_epoch=seen.append) == version
    assert len(seen) == 1
    assert len(registry.versions(days.storage, days.layout)) == 2
    assert not list((tmp_path / "work").iterdir())


def test_training_on_wrong_labels_is_not_promoted(days, tmp_path) -> None:
    key = days.layout.retraining("r1", "set.parquet")
    table = days.storage.read_table(key)
    other = table["label"].map({"across": "upright", "upright": "across"})
    days.storage.write_table(key, table.assign(label=table["label"].where(table["split"] != "train", other)))
    train(days, tmp_path, epochs=3)
    gate = evaluate_challenger(days.storage, days.layout, days.config, "r1")
    assert gate["decision"] == "keep"
    with pytest.raises(GateNotPassed, match="the gate says keep"):
        promote_challenger(days.storage, days.layout, days.config, "r1", "run r1")


def test_a_champion_that_changed_meanwhile_is_not_replaced(days, tmp_path) -> None:
    parent = registry.champion_version(days.storage, days.layout)
    data = registry.to_bytes(registry.load_model(days.storage, days.layout, parent).model) + b"\0"
    registry.register(days.storage, days.layout, "v0009-00000000", data, {"parent": None})
    train(days, tmp_path, epochs=1)
    gate = evaluate_challenger(days.storage, days.layout, days.config, "r1")
    days.storage.write_json(days.layout.retraining("r1", GATE), {**gate, "decision": "promote"})
    registry.promote(days.storage, days.layout, "v0009-00000000", "bob", expected=parent)
    with pytest.raises(registry.ChampionMoved, match="v0009-00000000"):
        promote_challenger(days.storage, days.layout, days.config, "r1", "run r1")


def test_drifted_days_are_imitated_on_training_images_only(days, tmp_path) -> None:
    imitating = days.with_config(imitate_drift=True)
    version = train(imitating, tmp_path, epochs=1)
    data = registry.card(days.storage, days.layout, version)["data"]
    originals = days.storage.read_table(days.layout.training_set)
    assert data["damage"]["kind"] == "brightness"
    assert 0.14 < data["damage"]["strength"] < 0.28
    assert data["damaged_images"] == (originals["split"] == "train").sum()
