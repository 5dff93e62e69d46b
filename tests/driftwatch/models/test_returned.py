"""The model that comes back from a team: registered with the data of its run, compared with today's champion, promoted, and rolled back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import CHALLENGER
from driftwatch.artifacts.retraining import ChallengerNote
from driftwatch.artifacts.store import MonitorStore
from driftwatch.drift.handover import promote_challenger
from driftwatch.errors import NeedsAttention
from driftwatch.models import keras_file, registry
from driftwatch.models.damage import apply_damage
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.handover import hand_over
from driftwatch.models.pending import pending
from driftwatch.models.requests import begin_unless_in_the_way
from driftwatch.models.retraining_plan import plan_comparison
from driftwatch.models.returned import NotHandedOver, SameModel, register_challenger, take_up_challenger
from driftwatch.models.rollback import rollback
from driftwatch.view.comparison import comparison
from driftwatch.view.gate import reason_text

CLEAN, BROKEN, LATER = date(2026, 1, 3), date(2026, 1, 4), date(2026, 1, 5)
RUN, BACK = "perf_alert__2026-01-04", "manual__back"


@pytest.fixture
def store(world) -> MonitorStore:
    """A clean day and one on which the camera is dark; the set that was handed over after it."""
    world.add_day(CLEAN, 30)
    world.add_day(BROKEN, 90, lambda rgb: apply_damage(rgb, "brightness", 0.2), verdict="alert")
    made = monitor_store(world.storage, world.layout, world.with_config(trainer="handover", pending_days=0).config)
    collect_training_set(made, RUN, CLEAN, BROKEN)
    hand_over(made, RUN, "alice")
    return made


def by_steps(folder: Path) -> Path:
    """A team's model, which looks whether a picture changes more to the right or downwards. It does so in the dark too."""
    import keras

    steps = np.zeros((2, 2, 3, 4), np.float32)
    for place, sign in ((0, 1), (1, -1)):
        steps[0, 0, :, place], steps[0, 1, :, place] = -sign, sign
        steps[0, 0, :, place + 2], steps[1, 0, :, place + 2] = -sign, sign
    mix = np.array([[-1, 1], [-1, 1], [1, -1], [1, -1]], np.float32)
    image = keras.Input((32, 32, 3))
    moves = keras.layers.Conv2D(4, 2, activation="relu", use_bias=False, name="steps")(image)
    answer = keras.layers.Dense(2, use_bias=False, name="mix")(keras.layers.GlobalAveragePooling2D()(moves))
    model = keras.Model(image, answer)
    model.get_layer("steps").set_weights([steps])
    model.get_layer("mix").set_weights([mix])
    path = folder / "ours.keras"
    path.write_bytes(keras_file.to_bytes(model))
    return path


def champion_file(store: MonitorStore, folder: Path) -> Path:
    data, _ = registry.model_file(store, registry.champion_version(store))
    path = folder / "same.keras"
    path.write_bytes(data)
    return path


def test_a_model_that_came_back_passes_the_gate_serves_and_can_be_rolled_back(store, tmp_path) -> None:
    parent = registry.champion_version(store)
    file = str(by_steps(tmp_path))
    version = register_challenger(store, file, RUN, "bob")
    card = registry.card(store, version)
    assert (card.parent, card.created_by, card.data.run_key) == (parent, "bob", RUN)
    assert (card.recipe.name, card.recipe.file) == ("imported", "ours.keras")
    assert (card.data.first_day, card.data.last_day) == (CLEAN, BROKEN)
    assert register_challenger(store, file, RUN, "carol") == version
    assert registry.champion_version(store) == parent

    assert begin_unless_in_the_way(store, LATER, 0, lambda *_: 0) is not None  # attached: the model was not compared
    plan = plan_comparison(store, version)
    assert (plan.version, plan.champion) == (version, parent)
    note = take_up_challenger(store, BACK, version, "run back")
    assert note == ChallengerNote(version=version, parent=parent, requested_by="run back", trained_for=RUN)
    assert take_up_challenger(store, BACK, version, "again") == note
    gate = evaluate_challenger(store, BACK, in_words=reason_text)
    assert (gate.decision, gate.recent_days, gate.champion) == ("promote", (BROKEN,), parent)
    assert registry.card(store, version).alerts == (LATER,)
    assert pending(store, LATER) is None
    shown = comparison(store, BACK)
    assert "by the team (ours.keras); imitated damage: none" in shown

    assert promote_challenger(store, BACK, "run back").version == version
    assert rollback(store, None, "rollback").version == parent


def test_a_model_may_be_left_in_the_place_that_was_handed_over(store, tmp_path) -> None:
    keys = store.keys.of_retraining(RUN).handover
    store.storage.write_bytes(keys.file("model.keras"), by_steps(tmp_path).read_bytes())
    version = register_challenger(store, store.storage.url(keys.file("model.keras")), RUN, "bob")
    assert registry.card(store, version).recipe.file == "model.keras"
    with pytest.raises(NeedsAttention, match=r"handover/none\.keras cannot be read"):
        register_challenger(store, store.storage.url(keys.file("none.keras")), RUN, "bob")


def test_what_is_no_new_model_of_a_handed_over_set_is_refused_and_nothing_is_registered(store, tmp_path) -> None:
    champion = registry.champion_version(store)
    with pytest.raises(SameModel, match=f"is the champion {champion} itself"):
        register_challenger(store, str(champion_file(store, tmp_path)), RUN, "bob")
    with pytest.raises(NotHandedOver, match=f"'r9' handed no training set over; these did: {RUN}"):
        register_challenger(store, str(champion_file(store, tmp_path)), "r9", "bob")
    with pytest.raises(NeedsAttention, match=r"missing\.keras: no such file"):
        register_challenger(store, str(tmp_path / "missing.keras"), RUN, "bob")
    import keras

    image = keras.Input((32, 32, 3))
    three = keras.Model(image, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(image)))
    (tmp_path / "three.keras").write_bytes(keras_file.to_bytes(three))
    with pytest.raises(NeedsAttention, match=r"three\.keras gives .*needed is \[n, 2\]"):
        register_challenger(store, str(tmp_path / "three.keras"), RUN, "bob")
    assert registry.versions(store) == [champion]
    assert not store.storage.exists(store.keys.retraining(RUN, CHALLENGER))


def test_a_model_of_another_run_is_not_registered_again_as_this_one_s(store, tmp_path) -> None:
    file = str(by_steps(tmp_path))
    version = register_challenger(store, file, RUN, "bob")
    collect_training_set(store, "manual__2", CLEAN, BROKEN)
    hand_over(store, "manual__2", "alice")
    with pytest.raises(SameModel, match=f"registered already, as {version}.*compare that version"):
        register_challenger(store, file, "manual__2", "bob")


def test_only_a_challenger_that_was_trained_elsewhere_is_taken_up(store) -> None:
    champion = registry.champion_version(store)
    with pytest.raises(SameModel, match=f"{champion} is the champion already"):
        take_up_challenger(store, BACK, champion, "alice")
    with pytest.raises(registry.UnknownVersion, match="v0009-00000000"):
        take_up_challenger(store, BACK, "v0009-00000000", "alice")
    first = registry.card(store, champion)
    registry.register(store, "v0002-00000002", b"another", first)
    with pytest.raises(NotHandedOver, match="v0002-00000002 was not trained on a set that was handed over"):
        take_up_challenger(store, BACK, "v0002-00000002", "alice")
