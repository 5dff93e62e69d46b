"""From the training set to a challenger with another input than the squashed square: not square, cropped, scaled, channels first."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from tests.stores import day_store, monitor_store

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import MonitorConfig
from driftwatch.drift.handover import build_reference_of
from driftwatch.images.inputs import DayInputs
from driftwatch.models import registry
from driftwatch.models.challenger import train_challenger
from driftwatch.models.champion import train_champion
from driftwatch.models.dataset import collect_training_set, take_in_training_set
from driftwatch.models.gate import evaluate_challenger
from driftwatch.models.predict import predict_day
from driftwatch.view.gate import reason_text

DAY = date(2026, 1, 5)
INPUT = {
    "size": [24, 40], "resize": "crop", "crop_share": 0.875, "interpolation": "bilinear", "scale": "imagenet", "layout": "nchw",
}  # fmt: skip


@pytest.mark.all_faults("it trains twice")
@pytest.mark.slow
def test_a_model_of_another_input_is_trained_asked_and_retrained(empty) -> None:
    model = {**empty.config.model.model_dump(), "input": INPUT, "recipe": {"width": 4}}
    retraining = {**empty.config.retraining.model_dump(), "epochs": 1, "min_new_labels": 20}
    config = MonitorConfig.model_validate({**empty.config.model_dump(), "model": model, "retraining": retraining})
    world, rng = type(empty)(**{**vars(empty), "config": config}), np.random.default_rng(0)
    for label in config.classes:
        for number in range(60):
            world.put_training(label, f"{number:03d}", world.striped(rng, label))
    store = monitor_store(world.storage, world.layout, config)
    take_in_training_set(store)
    version = train_champion(store, epochs=2)
    assert registry.card(store, version).model_input == ModelInput.of(config.model.input)
    build_reference_of(store, version)
    registry.promote(store, version, "test", None)
    world.add_day(DAY, 40)
    day = day_store(world.storage, world.layout.day(DAY), config)
    assert DayInputs(day).take([0]).shape == (1, 24, 40, 3)
    assert predict_day(day, version)["images"] == 40
    collect_training_set(store, "r1", DAY, DAY)
    challenger = train_challenger(store, "r1", "test")
    assert registry.card(store, challenger).model_input == ModelInput.of(config.model.input)
    evaluate_challenger(store, "r1", reason_text)
    assert registry.card(store, challenger).gate is not None
