"""Cards, the champion's pointer and training's notes are read as their models say, and written again to the byte."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.models import (
    CardRecipe,
    ChampionPointer,
    ImportedRecipe,
    ModelCard,
    TrainingCheckpoint,
    TrainingRecipe,
    TrainingSetPixels,
    TrainingSetReady,
)
from driftwatch.artifacts.retraining import GateResult
from driftwatch.config.recipe import RecipeConfig
from driftwatch.models.registry import add_to_card, promote, register
from driftwatch.storage import Storage, open_storage

from . import samples
from .checks import read_whole

LAYOUT = MonitorKeys("demo")
FIRST, SECOND = "v0001-0a1b2c3d", "v0002-4e5f6071"


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        (ModelCard, samples.CARD),
        (ModelCard, samples.FIRST_CARD),
        (ModelCard, samples.IMPORTED_CARD),
        (ModelCard, {**samples.CARD, "data": {**samples.CARD["data"], "damage": None}, "alerts": ["2026-01-10"]}),
        (ChampionPointer, samples.POINTER),
        (ChampionPointer, {"version": FIRST}),
        (TrainingCheckpoint, samples.CHECKPOINT),
        (TrainingSetReady, samples.READY),
        (TrainingSetPixels, samples.TRAINING_PIXELS),
    ],
)
def test_a_file_is_read_whole_and_written_again(storage, kind, whole):
    storage.write_json("x.json", whole)
    read_whole(storage, "x.json", kind)


def test_a_team_s_own_model_has_another_recipe(storage):
    for whole, kind in ((samples.FIRST_CARD, CardRecipe), (samples.IMPORTED_CARD, ImportedRecipe)):
        storage.write_json("x.json", whole)
        assert type(read_whole(storage, "x.json", ModelCard).recipe) is kind


GATE = GateResult.model_validate_json(json.dumps(samples.GATE))


def test_the_registry_s_own_writing_is_read_whole(storage):
    for version, card in ((FIRST, samples.FIRST_CARD), (SECOND, samples.CARD)):
        register(monitor_store(storage, LAYOUT), version, version.encode(), model_card(**card))
    add_to_card(monitor_store(storage, LAYOUT), SECOND, gate=GATE, alerts=(date(2026, 1, 10),))
    card = read_whole(storage, LAYOUT.model_card(SECOND), ModelCard)
    assert card.version == SECOND
    assert card.gate is not None
    assert [day.isoformat() for day in card.alerts] == ["2026-01-10"]
    assert read_whole(storage, LAYOUT.model_card(FIRST), ModelCard).gate is None
    promote(monitor_store(storage, LAYOUT), FIRST, "hand", None)
    assert read_whole(storage, LAYOUT.champion, ChampionPointer).previous is None
    promote(monitor_store(storage, LAYOUT), SECOND, "hand", FIRST)
    pointer = read_whole(storage, LAYOUT.champion, ChampionPointer)
    assert (pointer.version, pointer.previous, pointer.champions) == (SECOND, FIRST, (FIRST, SECOND))


@pytest.mark.parametrize(("previous", "champions"), [(None, (SECOND,)), (FIRST, (FIRST, SECOND))])
def test_a_pointer_without_a_history_names_the_two_champions_it_knows(previous, champions):
    assert ChampionPointer(version=SECOND, previous=previous).champions == champions


def test_the_monitor_file_s_recipe_is_one():
    written = {**RecipeConfig().model_dump(), "seed": 0, "epoch_size": None}
    assert TrainingRecipe.model_validate_json(json.dumps(written)).model_dump(mode="json") == written
