"""Training is repeatable, and goes on where it was killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from driftwatch.models.checkpoints import Checkpoints
from driftwatch.models.registry import to_bytes
from driftwatch.models.training import Recipe, augment, draw, fit, stopped_early
from driftwatch.storage import open_storage

RECIPE = Recipe(epochs=3, width=4, seed=3)


def pictures(n: int = 32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    return np.clip(rng.normal(90 + 60 * labels[:, None, None, None], 25, (n, 32, 32, 3)), 0, 255).astype(
        "uint8"
    ), labels


def kept(folder: Path) -> Checkpoints:
    return Checkpoints(open_storage(f"file://{folder}"), "checkpoints")


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    """Tracing takes longer than so small a training; the kill test of the tasks (test_killed_tasks.py) is traced."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


class KilledError(Exception):
    pass


def kill_after(epoch: int):
    def on_epoch(row: dict) -> None:
        if row["epoch"] == epoch:
            raise KilledError

    return on_epoch


@pytest.mark.parametrize("recipe", [RECIPE, Recipe(epochs=3, width=4, seed=3, small_share=0.67, small_size=16)])
def test_a_killed_training_ends_in_the_same_bytes_as_one_that_was_not(tmp_path, recipe) -> None:
    images, labels = pictures()
    whole, history = fit(None, images, labels, 2, recipe, validation=(images[:8], labels[:8]))
    with pytest.raises(KilledError):
        fit(None, images, labels, 2, recipe, checkpoints=kept(tmp_path), on_epoch=kill_after(2))
    seen: list[int] = []
    resumed, rows = fit(
        None, images, labels, 2, recipe, checkpoints=kept(tmp_path), on_epoch=lambda row: seen.append(row["epoch"])
    )
    assert seen == [3]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert to_bytes(resumed) == to_bytes(whole)
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"} <= set(history[0])


def test_a_checkpoint_of_other_data_is_not_gone_on_from(tmp_path) -> None:
    images, labels = pictures()
    with pytest.raises(KilledError):
        fit(None, images, labels, 2, RECIPE, checkpoints=kept(tmp_path), on_epoch=kill_after(1))
    _, rows = fit(None, images, 1 - labels, 2, RECIPE.model_copy(update={"epochs": 1}), checkpoints=kept(tmp_path))
    assert len(rows) == 1


def test_a_small_stage_is_left_out_where_the_images_are_no_larger() -> None:
    images, labels = pictures(32)
    staged = Recipe(epochs=1, width=4, small_share=0.5, small_size=32)
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


def rows(*losses: float) -> list[dict]:
    return [{"epoch": number + 1, "val_loss": loss} for number, loss in enumerate(losses)]


@pytest.mark.parametrize(
    ("losses", "patience", "n", "expected"),
    [
        ((0.5, 0.4, 0.41, 0.42), 2, 50, True),
        ((0.5, 0.4, 0.41), 2, 50, False),
        ((0.5, 0.4, 0.41, 0.39), 2, 50, False),
        ((0.5, 0.4, 0.41, 0.42), 0, 50, False),
        ((0.5, 0.4, 0.41, 0.42), 2, 29, False),
    ],
    ids=["no lower loss for two epochs", "for one", "lower again", "switched off", "too few validation images"],
)
def test_training_stops_where_validation_no_longer_improves(losses, patience, n, expected) -> None:
    validation = np.zeros((n, 8, 8, 3), np.uint8), np.zeros(n, int)
    assert stopped_early(rows(*losses), Recipe(epochs=9, small_share=0, patience=patience), validation) is expected


def test_epochs_on_small_images_do_not_count_for_an_early_stop() -> None:
    validation = np.zeros((50, 8, 8, 3), np.uint8), np.zeros(50, int)
    recipe = Recipe(epochs=6, small_share=0.5, patience=2)
    assert not stopped_early(rows(0.1, 0.2, 0.3, 0.4, 0.4), recipe, validation)
    assert stopped_early(rows(0.1, 0.2, 0.3, 0.4, 0.4, 0.4), recipe, validation)


def test_an_early_stop_keeps_the_best_epoch_also_after_a_kill(tmp_path) -> None:
    """The validation labels are the wrong ones, so that the first epoch is the best."""
    images, labels = pictures()
    wrong = images[:40], 1 - labels[:40]
    recipe = Recipe(epochs=6, width=4, seed=3, patience=2, learning_rate=0.01)
    whole, history = fit(None, images, labels, 2, recipe, validation=wrong)
    best = min(history, key=lambda row: row["val_loss"])["epoch"]
    assert len(history) == best + 2 < 6
    with pytest.raises(KilledError):
        fit(
            None, images, labels, 2, recipe, validation=wrong, checkpoints=kept(tmp_path), on_epoch=kill_after(best + 1)
        )
    resumed, rows_again = fit(None, images, labels, 2, recipe, validation=wrong, checkpoints=kept(tmp_path))
    assert [row["epoch"] for row in rows_again] == [row["epoch"] for row in history]
    assert to_bytes(resumed) == to_bytes(whole)
