"""Can the gate ever promote a challenger with so many images, and what would it need? The gate's own tests answer this, before anything
is trained.

The challenger is supposed to win USUAL_CHANGE of the clean images and to lose as many. That is about what fine-tuning does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models.class_losses import POWER, ClassLosses
from driftwatch.models.original_set import HOLDOUT_SHARE, set_keys
from driftwatch.models.paired import MOST_IMAGES, chance_of, images_needed
from driftwatch.models.splits import EVALUATION

USUAL_CHANGE = 0.03
_USUAL_ACCURACY = 0.9
_GAINS = np.arange(0.02, 0.8, 0.01)


@dataclass(frozen=True)
class Sizes:
    """`recent`: the evaluation images of the days of one retraining, at most. `holdout`: those of the original set by class; none before it
    is taken in. `accuracy`: the champion's."""

    recent: int
    holdout: Mapping[str, int]
    accuracy: float


def sizes_of(store: MonitorStore, images_a_day: int, card: ModelCard | None) -> Sizes:
    """The sizes of this monitor. `card`: the champion's; None before the first champion."""
    holdout: dict[str, int] = {}
    key = set_keys(store).table
    if store.storage.exists(key):
        table = store.storage.read_table(key)
        held_out = table.loc[table["split"] == EVALUATION, "label"].value_counts()
        holdout = {name: int(held_out.get(name, 0)) for name in store.config.classes}
    accuracy = card.metrics.holdout.accuracy.value if card else None
    recent = round(images_a_day * store.config.retraining.evaluation_share * store.config.retraining.days_back)
    return Sizes(recent, holdout, _USUAL_ACCURACY if accuracy is None else accuracy)


def said(config: MonitorConfig, sizes: Sizes) -> str:
    """What the gate needs from this monitor, in a sentence."""
    settings = config.retraining
    gain = smallest_gain(sizes.recent, sizes.accuracy, settings.gate_confidence)
    recent = (
        f"a gain of {gain:.0%} of accuracy on the alerting days (with all their {sizes.recent} evaluation images)"
        if gain
        else f"more than the {sizes.recent} evaluation images that the days give"
    )
    clean, each = clean_images_needed(config, sizes), class_images_needed(config, sizes)
    return (
        f"To promote, the gate needs {recent}, {_about(clean)} clean evaluation images, and "
        f"{each} of each class: {_training_images(config, clean, each)} training images a class"
    )


def warnings(config: MonitorConfig, sizes: Sizes) -> list[str]:
    """Why the gate will hardly ever promote, and what would change that. Empty if it can promote, or if there is no holdout yet."""
    settings, found = config.retraining, []
    if not smallest_gain(sizes.recent, sizes.accuracy, settings.gate_confidence):
        found.append(
            f"the gate can hardly ever promote: {sizes.recent} evaluation images of {settings.days_back} days prove no gain; raise "
            "labels.sample_size, retraining.evaluation_share or retraining.days_back"
        )
    if not sizes.holdout:
        return found
    n = sum(sizes.holdout.values())
    needed, each = clean_images_needed(config, sizes), class_images_needed(config, sizes)
    if n == 0 or chance_of(_shares(sizes.accuracy), n, settings.max_clean_drop, settings.gate_confidence) < 0.5:
        found.append(
            f"the gate can hardly ever promote: {n} held-out images do not rule out a loss of {100 * settings.max_clean_drop:.3g}% "
            f"(retraining.max_clean_drop) for a model that lost nothing; {_about(needed)} would: add training images, to "
            f"{_training_images(config, needed, each)} a class, or evaluation labels on days without drift"
        )
    test, drop = _classes(config, sizes), max(sizes.accuracy / 2, settings.max_class_drop)
    small = [name for place, name in enumerate(config.classes) if test.power(place, drop) < POWER]
    if small:
        named = ", ".join(f"{name} ({sizes.holdout.get(name, 0)})" for name in small)
        found.append(
            f"the gate can hardly ever promote: {len(small)} of {len(config.classes)} classes have too few held-out images to see that one lost half of "
            f"its recall: {named}; {each} of each would do, {_training_images(config, 0, each)} training images a class, or as many "
            "more evaluation labels on days without drift"
        )
    return found


def smallest_gain(n: int, accuracy: float, level: float) -> float | None:
    """The smallest gain of accuracy that `n` images can prove with POWER, in spite of the usual wins and losses. None if they prove none."""
    for gain in _GAINS:
        lost = min(USUAL_CHANGE, accuracy / 2)
        won = gain + lost
        both = max(min(accuracy, 1 - won) - lost, 0)
        shares = np.array([both, won, lost, max(1 - both - won - lost, 0)])
        if n and chance_of(shares / shares.sum(), n, 0, level) >= POWER:
            return float(gain)
    return None


def clean_images_needed(config: MonitorConfig, sizes: Sizes) -> int | None:
    settings = config.retraining
    both, won, lost, _ = (_shares(sizes.accuracy) * 1000).round().astype(int).tolist()
    return images_needed(
        np.array([both, won, lost, 1000 - both - won - lost]),
        settings.max_clean_drop,
        settings.gate_confidence,
        least=1,
    )


def class_images_needed(config: MonitorConfig, sizes: Sizes) -> int:
    """How many images of each class are needed to see, with POWER, that a class lost half of its recall. It supposes what `warnings` does."""
    drop = max(sizes.accuracy / 2, config.retraining.max_class_drop)

    def seen(each: int) -> bool:
        each_class = Sizes(sizes.recent, dict.fromkeys(config.classes, each), sizes.accuracy)
        return _classes(config, each_class).power(0, drop) >= POWER

    high = 4
    while high < MOST_IMAGES and not seen(high):
        high *= 2
    # The power grows in steps and falls a little between them. So the last size that is too small is searched for.
    step = max(1, high // 24)
    return step + max((each for each in range(1, 2 * high, step) if not seen(each)), default=0)


def _classes(config: MonitorConfig, sizes: Sizes) -> ClassLosses:
    n = [sizes.holdout.get(name, 0) for name in config.classes]
    changed, right = [USUAL_CHANGE * count for count in n], [round(sizes.accuracy * count) for count in n]
    return ClassLosses(n, changed, changed, right, 1 - config.retraining.gate_confidence)


def _shares(accuracy: float) -> np.ndarray:
    """The shares that `paired.bounds` takes, for a challenger as good as the champion. A model that is nearly always right, or nearly
    always wrong, wins and loses fewer images."""
    changed = min(USUAL_CHANGE, accuracy, 1 - accuracy)
    return np.array([accuracy - changed, changed, changed, 1 - accuracy - changed]).clip(0)


def _training_images(config: MonitorConfig, clean: int | None, each: int) -> str:
    """How many training images of each class are needed so that the holdout has `clean` images in all, and `each` of every class."""
    if clean is None:
        return f"more than {math.ceil(MOST_IMAGES / len(config.classes) / HOLDOUT_SHARE)}"
    return f"about {math.ceil(max(each, clean / len(config.classes)) / HOLDOUT_SHARE)}"


def _about(images: int | None) -> str:
    return f"more than {MOST_IMAGES}" if images is None else f"about {images}"
