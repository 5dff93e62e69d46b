"""Training is repeatable, and goes on where it was killed."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.model.registry import to_bytes
from driftwatch.model.training import Recipe, augment, draw, fit

RECIPE = Recipe(epochs=3, width=4, seed=3)


def pictures(n: int = 64) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    return np.clip(rng.normal(90 + 60 * labels[:, None, None, None], 25, (n, 32, 32, 3)), 0, 255).astype(
        "uint8"
    ), labels


class KilledError(Exception):
    pass


def kill_after(epoch: int):
    def on_epoch(row: dict) -> None:
        if row["epoch"] == epoch:
            raise KilledError

    return on_epoch


@pytest.mark.parametrize("recipe", [RECIPE, Recipe(epochs=3, width=4, seed=3, small_epochs=2, small_size=16)])
def test_a_killed_training_ends_in_the_same_bytes_as_one_that_was_not(tmp_path, recipe) -> None:
    images, labels = pictures()
    whole, history = fit(None, images, labels, 2, recipe, validation=(images[:8], labels[:8]))
    with pytest.raises(KilledError):
        fit(None, images, labels, 2, recipe, work_folder=tmp_path, on_epoch=kill_after(2))
    seen: list[int] = []
    resumed, rows = fit(
        None, images, labels, 2, recipe, work_folder=tmp_path, on_epoch=lambda row: seen.append(row["epoch"])
    )
    assert seen == [3]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert to_bytes(resumed) == to_bytes(whole)
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"} <= set(history[0])


def test_a_checkpoint_of_other_data_is_not_gone_on_from(tmp_path) -> None:
    images, labels = pictures()
    with pytest.raises(KilledError):
        fit(None, images, labels, 2, RECIPE, work_folder=tmp_path, on_epoch=kill_after(1))
    _, rows = fit(None, images, 1 - labels, 2, Recipe(**{**vars(RECIPE), "epochs": 1}), work_folder=tmp_path)
    assert len(rows) == 1


def test_a_small_stage_is_left_out_where_the_images_are_no_larger() -> None:
    images, labels = pictures(32)
    staged = Recipe(epochs=1, width=4, small_epochs=1, small_size=32)
    plain = Recipe(epochs=1, width=4)
    one, other = (fit(None, images, labels, 2, recipe)[0] for recipe in (staged, plain))
    assert to_bytes(one) == to_bytes(other)


def test_another_seed_gives_another_model() -> None:
    images, labels = pictures(32)
    one, other = (fit(None, images, labels, 2, Recipe(epochs=1, width=4, seed=seed))[0] for seed in (1, 2))
    assert to_bytes(one) != to_bytes(other)


def test_each_image_is_drawn_once_an_epoch_without_weights() -> None:
    assert sorted(draw(1000, 1000, [0, 1])) == list(range(1000))


def test_weights_give_each_part_its_share_of_the_epoch() -> None:
    weights = np.concatenate([np.full(900, 0.6 / 900), np.full(100, 0.4 / 100)])
    found = np.bincount(draw(weights, 1500, [0, 1]), minlength=1000)
    assert abs(found[900:].sum() - 600) <= 1
    assert set(found[900:]) <= {5, 6, 7}
    assert set(found[:900]) <= {0, 1, 2}


def test_augmentation_keeps_shape_and_range_and_depends_on_the_seed_alone() -> None:
    images, _ = pictures(16)
    one, again, other = (augment(images, 24, np.array([7, seed])).numpy() for seed in (1, 1, 2))
    assert one.shape == (16, 24, 24, 3)
    assert one.min() >= 0
    assert one.max() <= 255
    assert (one == again).all()
    assert (one != other).any()
