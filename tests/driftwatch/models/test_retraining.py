"""A retraining from the labels to the champion and back, on a camera that sees too little light."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from tests.cards import model_card
from tests.stores import day_store, monitor_store

from driftwatch.drift.handover import GateNotPassed, build_reference_of, promote_challenger
from driftwatch.errors import NeedsAttention
from driftwatch.models import keras_file, registry
from driftwatch.models.challenger import CHALLENGER, train_challenger
from driftwatch.models.damage import apply_damage
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.gate import GATE, evaluate_challenger
from driftwatch.models.predict import predict_day
from driftwatch.models.predictors.keras import load_model
from driftwatch.models.requests import requested
from driftwatch.models.retraining_plan import plan_retraining, plan_rollback
from driftwatch.models.rollback import rollback
from driftwatch.view.comparison import comparison
from driftwatch.view.gate import reason_text
from driftwatch.view.plan_text import retraining_lines

CLEAN, BROKEN = date(2026, 1, 3), date(2026, 1, 4)


def darkened(rgb: np.ndarray) -> np.ndarray:
    return apply_damage(rgb, "brightness", 0.2)


@pytest.fixture
def days(world):
    """A clean day and a broken one that alerts, collected as the set of the run `r1`."""
    world.add_day(CLEAN, 60)
    world.add_day(BROKEN, 150, darkened, verdict="alert")
    collect_training_set(monitor_store(world.storage, world.layout, world.config), "r1", CLEAN, BROKEN)
    return world


def train(world, run_key: str = "r1", on_epoch=None, **retraining: object) -> str:
    world = world.with_config(**retraining)
    return train_challenger(monitor_store(world.storage, world.layout, world.config), run_key, "alice", on_epoch)


def predictions(world) -> bytes:
    version = registry.champion_version(monitor_store(world.storage, world.layout))
    predict_day(day_store(world.storage, world.layout.day(BROKEN), world.config), version)
    return world.storage.read_bytes(world.layout.day(BROKEN).predictions)


def test_a_better_challenger_is_promoted_and_a_rollback_brings_the_old_answers_back(days) -> None:
    parent = registry.champion_version(monitor_store(days.storage, days.layout))
    before = predictions(days)
    version = train(days, epochs=4)
    gate = evaluate_challenger(monitor_store(days.storage, days.layout, days.config), "r1", in_words=reason_text)
    assert (gate.decision, gate.recent_days, gate.clean_days) == ("promote", (BROKEN,), (CLEAN,))
    assert (
        evaluate_challenger(monitor_store(days.storage, days.layout, days.config), "r1", in_words=reason_text) == gate
    )
    card = registry.card(monitor_store(days.storage, days.layout), version)
    assert (card.gate, card.parent, card.created_by) == (gate, parent, "alice")
    rows = days.storage.read_table(days.layout.model_evaluation(version))
    repaired = rows.set_index("image_id").loc[gate.recent.repaired[0]]
    assert repaired["challenger"] == repaired["label"] != repaired["champion"]
    assert not set(rows["image_id"]) & trained_on(days)

    shown = comparison(
        monitor_store(days.storage, days.layout, days.config), "r1", lambda image_id, key: f"http://images/{key}"
    )
    matrix = gate.recent.challenger.confusion_matrix.rows
    assert f"| across | {matrix[0][0] or ''} | {matrix[0][1] or ''} |" in shown
    assert f"**{version}** against the champion **{parent}**. Asked for by: alice." in shown
    assert all(reason in shown for reason in gate.reasons)
    assert f"(http://images/{repaired['key']})" in shown
    assert days.storage.exists(repaired["key"])
    assert "http" not in comparison(monitor_store(days.storage, days.layout, days.config), "r1")

    pointer = promote_challenger(monitor_store(days.storage, days.layout, days.config), "r1", "run r1")
    assert (pointer.version, pointer.previous) == (version, parent)
    counts = build_reference_of(monitor_store(days.storage, days.layout, days.config), version)
    assert counts.images == 300  # the original set alone: a mixture with the broken day's images would be like neither
    assert predictions(days) != before

    for _ in range(2):  # a repeated task does not roll forward again
        assert rollback(monitor_store(days.storage, days.layout, days.config), None, "rollback run").version == parent
    assert predictions(days) == before


def trained_on(world) -> set[str]:
    table = world.storage.read_table(world.layout.retraining("r1", "set.parquet"))
    return set(table.loc[table["split"] != "evaluation", "image_id"])


@pytest.mark.all_faults("it trains twice; test_killed_tasks.py repeats each task")
def test_the_same_run_trains_once_and_a_lost_note_gives_the_same_version(days) -> None:
    version = train(days, epochs=1)
    seen: list[dict] = []
    assert train(days, epochs=1, on_epoch=seen.append) == version
    assert seen == []
    days.storage.delete(days.layout.retraining("r1", CHALLENGER))
    assert train(days, epochs=1, on_epoch=seen.append) == version
    assert len(seen) == 1
    assert len(registry.versions(monitor_store(days.storage, days.layout))) == 2
    assert not days.storage.list(days.layout.retraining("r1", "checkpoints"))


@pytest.mark.all_faults("it trains; the next challenger here is as bad without")
def test_training_on_wrong_labels_is_not_promoted(days) -> None:
    key = days.layout.retraining("r1", "set.parquet")
    table = days.storage.read_table(key)
    other = table["label"].map({"across": "upright", "upright": "across"})
    days.storage.write_table(key, table.assign(label=table["label"].where(table["split"] != "train", other)))
    train(days, epochs=3)
    gate = evaluate_challenger(monitor_store(days.storage, days.layout, days.config), "r1", in_words=reason_text)
    assert gate.decision == "keep"
    with pytest.raises(GateNotPassed, match="the gate says keep"):
        promote_challenger(monitor_store(days.storage, days.layout, days.config), "r1", "run r1")


def put_challenger(world, scale: float, shift: list[float]) -> str:
    """A challenger as training leaves it, made of the champion: its logits times `scale` plus `shift`. Returns the champion."""
    champion = registry.champion_version(monitor_store(world.storage, world.layout))
    model = load_model(monitor_store(world.storage, world.layout), champion).model
    weights, bias = model.get_layer("logits").get_weights()
    model.get_layer("logits").set_weights([weights * scale, bias * scale + shift])
    data = keras_file.to_bytes(model)
    version = registry.version_for(monitor_store(world.storage, world.layout), data)
    registry.register(
        monitor_store(world.storage, world.layout),
        version,
        data,
        registry.card(monitor_store(world.storage, world.layout), champion),
    )
    world.storage.write_json(
        world.layout.retraining("r1", CHALLENGER), {"version": version, "parent": champion, "requested_by": "alice"}
    )
    return champion


def test_a_challenger_that_learnt_a_single_class_is_not_promoted(days) -> None:
    put_challenger(days, 0, [0, 5])
    gate = evaluate_challenger(monitor_store(days.storage, days.layout, days.config), "r1", in_words=reason_text)
    assert gate.decision == "keep"
    assert any("Class across: recall on clean images collapsed" in reason for reason in gate.reasons)
    with pytest.raises(GateNotPassed, match="the gate says keep"):
        promote_challenger(monitor_store(days.storage, days.layout, days.config), "r1", "run r1")


def test_a_champion_that_changed_meanwhile_is_not_replaced(days) -> None:
    parent = put_challenger(days, 1, [1, 0])
    data = keras_file.to_bytes(load_model(monitor_store(days.storage, days.layout), parent).model) + b"\0"
    registry.register(monitor_store(days.storage, days.layout), "v0009-00000000", data, model_card())
    gate = evaluate_challenger(monitor_store(days.storage, days.layout, days.config), "r1", in_words=reason_text)
    days.storage.write_json(
        days.layout.retraining("r1", GATE), gate.model_copy(update={"decision": "promote"}).stored()
    )
    registry.promote(monitor_store(days.storage, days.layout), "v0009-00000000", "bob", expected=parent)
    with pytest.raises(registry.ChampionMoved, match="v0009-00000000"):
        promote_challenger(monitor_store(days.storage, days.layout, days.config), "r1", "run r1")


def test_drifted_days_are_imitated_on_training_images_only(days) -> None:
    imitating = days.with_config(imitate_drift=True)
    version = train(imitating, epochs=1)
    data = registry.card(monitor_store(days.storage, days.layout), version).data
    originals = days.storage.read_table(days.layout.training_set)
    assert data.damage.kind == "brightness"
    assert 0.14 < data.damage.strength < 0.28
    assert data.damaged_images == (originals["split"] == "train").sum()


@pytest.mark.all_faults("it trains a network of its own")
def test_a_challenger_can_start_from_scratch_by_the_monitor_files_recipe(days) -> None:
    champion = registry.champion_version(monitor_store(days.storage, days.layout))
    changed = days.config.model_dump()
    changed["model"]["recipe"] |= {"epochs": 2, "width": 4}
    scratch = type(days)(**{**vars(days), "config": type(days.config).model_validate(changed)})
    version = train(scratch, start_from="scratch")
    card = registry.card(monitor_store(days.storage, days.layout), version)
    assert (card.recipe.name, card.recipe.width, card.parent) == ("scratch", 4, champion)
    assert len(card.history) == 2
    assert card.parameters < registry.card(monitor_store(days.storage, days.layout), champion).parameters
    assert card.data.by_day == days.storage.read_json(days.layout.retraining("r1", "dataset_card.json"))["by_day"]


def test_a_plan_tells_the_set_the_time_and_what_would_be_replaced_and_writes_nothing(days) -> None:
    before = days.storage.list(days.layout.monitor)
    champion = registry.champion_version(monitor_store(days.storage, days.layout))
    plan = plan_retraining(monitor_store(days.storage, days.layout, days.config), CLEAN, BROKEN)
    text = "\n".join(retraining_lines(plan))
    assert plan.set.stored() == days.storage.read_json(days.layout.retraining("r1", "dataset_card.json"))
    assert 0 < plan.seconds < 600
    assert f"it would replace {champion}, accuracy" in text
    assert f"fine-tune {champion} on {plan.set.images} images, 210 of them with labels" in text
    never = plan_retraining(
        monitor_store(days.storage, days.layout, days.with_config(promotion="never").config), CLEAN, BROKEN
    )
    assert "would replace nothing" in retraining_lines(never)[-1]
    with pytest.raises(NeedsAttention, match="no earlier champion"):
        plan_rollback(monitor_store(days.storage, days.layout), None)
    assert days.storage.list(days.layout.monitor) == before


def test_the_form_changes_fine_tuning_or_the_recipe_by_where_it_starts(world) -> None:
    form = {"epochs": 5, "learning_rate": 0.01, "start_from": None, "promotion": "never"}
    tuned, scratch = (requested(world.config, {**form, "start_from": start}) for start in (None, "scratch"))
    assert (tuned.retraining.epochs, tuned.retraining.learning_rate, tuned.retraining.promotion) == (5, 0.01, "never")
    assert tuned.model == world.config.model
    assert (scratch.model.recipe.epochs, scratch.model.recipe.learning_rate) == (5, 0.01)
    assert scratch.retraining.epochs == world.config.retraining.epochs
    assert requested(world.config, {}) == world.config
