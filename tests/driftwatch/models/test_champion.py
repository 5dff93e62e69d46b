"""Training and importing the first champion."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.models import ImportedRecipe
from driftwatch.errors import NeedsAttention
from driftwatch.models.champion import import_champion
from driftwatch.models.predictors.keras import load_model
from driftwatch.models.registry import DamagedModel, card, champion_version


def test_the_champion_learns_the_stripes_and_its_card_says_how(world) -> None:
    found = card(
        monitor_store(world.storage, world.layout), champion_version(monitor_store(world.storage, world.layout))
    )
    holdout = found.metrics.holdout
    assert holdout.accuracy.value > 0.9
    assert holdout.accuracy.low < holdout.accuracy.value
    assert holdout.n == sum(found.data.by_source["original"][split] for split in ("evaluation",))
    assert (found.parent, found.classes, found.input_size) == (None, ("across", "upright"), 32)
    assert len(found.history) == 10
    assert found.packages["keras"] == keras.__version__


def saved(tmp_path, *layers, size: int = 32):
    model = keras.Sequential([keras.Input((size, size, 3)), *layers])
    path = tmp_path / "theirs.keras"
    model.save(path)
    return path


def test_the_teams_own_model_is_registered_with_its_kind_of_output(world, tmp_path) -> None:
    path = saved(tmp_path, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, activation="softmax"))
    version = import_champion(monitor_store(world.storage, world.layout, world.config), path)
    found = card(monitor_store(world.storage, world.layout), version)
    assert found.output == "probabilities"
    assert found.recipe == ImportedRecipe(name="imported", file="theirs.keras")
    images = np.full((1, 32, 32, 3), 200, np.uint8)
    ours = load_model(monitor_store(world.storage, world.layout), version).model(images)
    assert np.allclose(ours, keras.models.load_model(path)(images))


def test_a_model_of_another_shape_is_refused_with_both_shapes(world, tmp_path) -> None:
    path = saved(tmp_path, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3))
    with pytest.raises(NeedsAttention, match=r"gives output \['\?', 3\]; needed is \[n, 2\] or \[n, 1\] for classes"):
        import_champion(monitor_store(world.storage, world.layout, world.config), path)


def test_a_model_that_brings_code_is_refused(world, tmp_path) -> None:
    path = saved(
        tmp_path, keras.layers.Lambda(lambda x: x), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)
    )
    with pytest.raises(DamagedModel, match="safe mode"):
        import_champion(monitor_store(world.storage, world.layout, world.config), path)
