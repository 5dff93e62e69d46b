"""What a challenger learns from, without a training: its recipe, how often each image is drawn, and the images to be damaged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import ImagesConfig, MonitorConfig
from driftwatch.errors import ChangedImage, NeedsAttention
from driftwatch.models import registry
from driftwatch.models.challenger import _decoded, challenger_recipe, start_of, weights_of
from driftwatch.storage import Storage, open_storage

from .conftest import make_config

KEY = "stripes/training/images/upright/1.jpg"


@pytest.fixture
def config(tmp_path: Path) -> MonitorConfig:
    return make_config(tmp_path)


def with_retraining(config: MonitorConfig, **settings: object) -> MonitorConfig:
    return config.model_copy(update={"retraining": config.retraining.model_copy(update=settings)})


def test_fine_tuning_goes_by_the_retrainings_own_settings(config: MonitorConfig) -> None:
    own = {"epochs": 5, "learning_rate": 0.01, "patience": 2, "seed": 9}
    recipe = challenger_recipe(with_retraining(config, start_from="champion", **own), epoch_size=200)
    assert (recipe.epochs, recipe.learning_rate, recipe.patience, recipe.seed) == (5, 0.01, 2, 9)
    assert (recipe.epoch_size, recipe.small_epochs) == (200, 0)


def test_a_start_from_scratch_goes_by_the_monitor_files_recipe(config: MonitorConfig) -> None:
    recipe = challenger_recipe(with_retraining(config, start_from="scratch", epochs=5, seed=9), epoch_size=200)
    assert (recipe.epochs, recipe.patience) == (config.model.recipe.epochs, config.model.recipe.patience)
    assert (recipe.seed, recipe.small_share) == (9, config.model.recipe.small_share)


@pytest.mark.parametrize(
    ("kind", "trainer", "said"),
    [
        ("endpoint", "ours:Trainer", "only its answers are known"),
        ("logged", "keras", "only its answers are known"),
        ("onnx", "keras", "Keras cannot go on from a model of the kind onnx"),
    ],
)
def test_a_champion_that_the_trainer_cannot_go_on_from_is_refused_with_what_to_set(
    storage: Storage, config: MonitorConfig, kind: str, trainer: str, said: str
) -> None:
    store = monitor_store(storage, MonitorKeys("stripes"), with_retraining(config, trainer=trainer))
    version = "v0001-00000001"
    registry.register(store, version, b"a file", model_card(kind=kind))
    with pytest.raises(NeedsAttention, match=f"{said}: set retraining.start_from to scratch, or retraining.trainer to"):
        start_of(store, version)
    scratch = store.with_config(with_retraining(store.config, start_from="scratch"))
    assert start_of(scratch, version) is None


def test_a_trainer_of_the_team_s_own_starts_from_the_champion_s_file_whatever_it_is(
    storage: Storage, config: MonitorConfig
) -> None:
    store = monitor_store(storage, MonitorKeys("stripes"), with_retraining(config, trainer="ours:Trainer"))
    registry.register(store, "v0001-00000001", b"a file", model_card(kind="onnx", output="logits"))
    start = start_of(store, "v0001-00000001")
    assert start is not None
    assert (start.model, start.head.output) == (b"a file", "logits")
    assert start.name.endswith("/v0001-00000001/model.onnx")


def test_an_epoch_is_shared_between_originals_labels_and_damaged_copies() -> None:
    recent = np.repeat([False, True], [80, 40])
    weights = weights_of(recent, damaged=20, recent_share=0.5)
    assert [weights[:80].sum(), weights[80:120].sum(), weights[120:].sum()] == pytest.approx([0.5, 0.25, 0.25])


def test_without_damaged_copies_the_labels_have_the_whole_recent_share() -> None:
    weights = weights_of(np.repeat([False, True], [80, 40]), damaged=0, recent_share=0.4)
    assert [weights[:80].sum(), weights[80:].sum()] == pytest.approx([0.6, 0.4])


def test_few_labels_are_not_drawn_more_than_ten_times_as_often_as_an_original() -> None:
    weights = weights_of(np.repeat([False, True], [1000, 2]), damaged=0, recent_share=0.5)
    assert weights[-1] / weights[0] == pytest.approx(10)


@pytest.mark.parametrize(("originals", "labels", "damaged"), [(0, 5, 0), (5, 0, 0), (5, 0, 5), (0, 0, 0)])
def test_sets_that_lack_a_kind_have_weights_that_are_numbers(originals: int, labels: int, damaged: int) -> None:
    weights = weights_of(np.repeat([False, True], [originals, labels]), damaged, 0.5)
    assert len(weights) == originals + labels + damaged
    assert np.isfinite(weights).all()
    assert (weights > 0).all()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def an_image(storage: Storage) -> pd.DataFrame:
    """A stored training image, and its row of the set."""
    data = cv2.imencode(".jpg", np.zeros((40, 40, 3), np.uint8))[1].tobytes()
    storage.write_bytes(KEY, data)
    return pd.DataFrame({"key": [KEY], "image_id": [hashlib.sha256(data).hexdigest()]})


def test_a_training_image_that_todays_settings_refuse_is_named(storage: Storage, config: MonitorConfig) -> None:
    chosen = an_image(storage)
    assert [rgb.shape for rgb in _decoded(storage, config, chosen)] == [(40, 40, 3)]
    stricter = config.model_copy(update={"images": ImagesConfig(min_side=64)})
    with pytest.raises(
        ChangedImage, match=r"upright/1\.jpg was accepted .*refuses it now \(too_small: is 40 x 40.*take them in again"
    ):
        list(_decoded(storage, stricter, chosen))


def test_a_training_image_that_was_replaced_is_named_with_what_to_do(storage: Storage, config: MonitorConfig) -> None:
    chosen = an_image(storage)
    storage.write_bytes(KEY, cv2.imencode(".jpg", np.full((40, 40, 3), 9, np.uint8))[1].tobytes())
    with pytest.raises(
        ChangedImage, match=r"upright/1\.jpg is not the image [0-9a-f]{64} any more.*put that file back"
    ):
        list(_decoded(storage, config, chosen))
