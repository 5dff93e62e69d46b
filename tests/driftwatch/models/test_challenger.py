"""What a challenger learns from, without a training: its recipe, how often each image is drawn, and the images to be damaged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from driftwatch.config import ImagesConfig, MonitorConfig
from driftwatch.errors import ChangedImage
from driftwatch.models.challenger import _decoded, _weights, challenger_recipe
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


def test_an_epoch_is_shared_between_originals_labels_and_damaged_copies() -> None:
    recent = np.repeat([False, True], [80, 40])
    weights = _weights(recent, damaged=20, recent_share=0.5)
    assert [weights[:80].sum(), weights[80:120].sum(), weights[120:].sum()] == pytest.approx([0.5, 0.25, 0.25])


def test_without_damaged_copies_the_labels_have_the_whole_recent_share() -> None:
    weights = _weights(np.repeat([False, True], [80, 40]), damaged=0, recent_share=0.4)
    assert [weights[:80].sum(), weights[80:].sum()] == pytest.approx([0.6, 0.4])


def test_few_labels_are_not_drawn_more_than_ten_times_as_often_as_an_original() -> None:
    weights = _weights(np.repeat([False, True], [1000, 2]), damaged=0, recent_share=0.5)
    assert weights[-1] / weights[0] == pytest.approx(10)


@pytest.mark.parametrize(("originals", "labels", "damaged"), [(0, 5, 0), (5, 0, 0), (5, 0, 5), (0, 0, 0)])
def test_sets_that_lack_a_kind_have_weights_that_are_numbers(originals: int, labels: int, damaged: int) -> None:
    weights = _weights(np.repeat([False, True], [originals, labels]), damaged, 0.5)
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
