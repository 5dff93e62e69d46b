"""`driftwatch check` on the gate: can it ever promote with these sizes, and what would it take."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from driftwatch.config.retraining import RetrainingConfig
from driftwatch.models.original_set import HOLDOUT_SHARE
from driftwatch.models.promotable import Sizes, said, smallest_gain, warnings


def monitor(k: int) -> Any:
    return SimpleNamespace(classes=tuple(f"c{place}" for place in range(k)), retraining=RetrainingConfig())


@pytest.mark.parametrize(("k", "each", "fits"), [(2, 150, True), (10, 25, True), (10, 3, False), (100, 3, False)])
def test_sizes_with_which_the_gate_can_promote_and_not(k: int, each: int, fits: bool) -> None:
    config = monitor(k)
    sizes = Sizes(250, dict.fromkeys(config.classes, each), 0.9)
    found = warnings(config, sizes)
    assert (not found) == fits
    if not fits:
        assert all(f"{name} ({each})" in found[-1] for name in config.classes)
        assert "training images a class" in found[-1]


def test_few_recent_images_prove_no_gain_and_what_a_monitor_needs_is_said_before_it_has_a_holdout() -> None:
    assert smallest_gain(2, 0.9, 0.95) is None
    assert 0.02 <= smallest_gain(250, 0.9, 0.95) <= 0.1
    config = monitor(10)
    assert "prove no gain" in warnings(config, Sizes(2, {}, 0.9))[0]
    assert "of each class: about" in said(config, Sizes(250, {}, 0.9))


@pytest.mark.parametrize(("k", "accuracy"), [(2, 0.9), (10, 0.9), (100, 0.9), (2, 1.0), (2, 0.98), (3, 1 / 3)])
def test_the_training_images_that_are_asked_for_are_enough(k: int, accuracy: float) -> None:
    config = monitor(k)
    asked = said(config, Sizes(250, {}, accuracy)).rpartition("about ")[2].split()[0]
    held_out = math.ceil(int(asked) * HOLDOUT_SHARE)
    assert not warnings(config, Sizes(250, dict.fromkeys(config.classes, held_out), accuracy))


@pytest.mark.parametrize(("allowed", "told"), [(0.05, "5%"), (0.025, "2.5%"), (0.002, "0.2%")])
def test_the_loss_that_is_allowed_is_told_as_the_monitor_file_has_it(allowed: float, told: str) -> None:
    config = monitor(2)
    config.retraining = RetrainingConfig(max_clean_drop=allowed)
    (found,) = [one for one in warnings(config, Sizes(250, {"c0": 20, "c1": 20}, 0.9)) if "max_clean_drop" in one]
    assert f"a loss of {told} (retraining.max_clean_drop)" in found


def test_what_no_number_of_images_would_settle_is_not_about_a_number() -> None:
    config = monitor(2)
    config.retraining = RetrainingConfig(max_clean_drop=0)
    told = [said(config, Sizes(250, {}, 0.9)), *warnings(config, Sizes(250, {"c0": 20, "c1": 20}, 0.9))]
    assert sum("more than 100000" in one for one in told) == 2
    assert not any("about more than" in one for one in told)
