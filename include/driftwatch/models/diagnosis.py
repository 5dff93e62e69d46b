"""Whether a model that is about to become champion can be the one that the monitor file describes.

It is measured on held-out images. Its answers must have something to do with them. And no other order of the classes, and no other input,
may be far better: that would show that the monitor file, or the file of the model, is not what the team thinks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest, permutation_test

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.parts import Share
from driftwatch.errors import NeedsAttention
from driftwatch.models.metrics import confusion_matrix, share
from driftwatch.models.spread import evenly
from driftwatch.models.variations import Variation, all_together, one_setting_apart

if TYPE_CHECKING:
    from driftwatch.models.training.base import Labelled

# So many images are asked about, once for each setting that is tried.
MOST_IMAGES = 300
# Answers that have nothing to do with the images pass the test of chance with this probability.
LEVEL = 0.01
# Far better is an accuracy of so much more than the upper end of the interval.
MARGIN = 0.05
# The level of the sign test, for all that is tried together.
_BETTER_LEVEL = 0.05
_CONFIDENCE = 0.95
_SHUFFLES = 9_999

# The class index of each image, as the model answers it when it is given this input.
Answer = Callable[[np.ndarray, ModelInput], np.ndarray]


@dataclass(frozen=True)
class Better:
    """`settings`: of `model.input`, as `name: value`. `order`: the classes in the order of the model's outputs, where that is another."""

    settings: tuple[str, ...]
    order: tuple[str, ...] | None
    accuracy: float


@dataclass(frozen=True)
class Diagnosis:
    """What held-out images tell of a model. `chance`: the accuracy of its answers when they are shuffled. `p_value`: how probable its
    accuracy, or a higher one, is then. `least`: the lowest p-value that so few images could give. `better`: what would be far better,
    the best first."""

    accuracy: Share
    chance: float
    p_value: float
    least: float
    better: tuple[Better, ...]

    @property
    def too_few(self) -> bool:
        """No answers to so few images could be told from chance."""
        return self.least > LEVEL

    @property
    def by_chance(self) -> bool:
        """The accuracy is at or below chance, or cannot be told from it. Of too few images: it is not above it."""
        above = self.accuracy.value is not None and self.accuracy.value > self.chance
        return not above or (self.p_value > LEVEL and not self.too_few)

    @property
    def wrong(self) -> bool:
        return self.by_chance or bool(self.better)


def diagnose(holdout: Labelled, classes: Sequence[str], about: ModelInput, answer: Answer) -> Diagnosis:
    """Asks the model about the held-out images, at most MOST_IMAGES, as many of each class: as the monitor file says and, where that could be far better, by
    other settings. If its answers are no better than chance, the settings are tried in all combinations, else one by one."""
    images = holdout.where(evenly(holdout.labels, MOST_IMAGES))
    truth, said = images.labels, answer(images.images, about)
    first = of_answers(truth, said, classes)
    if not _has_room(first.accuracy):
        return first
    variations = all_together(about) if first.by_chance else one_setting_apart(about)
    answers = [(found, _answered(answer, found, images.images)) for found in variations[1:]]
    tried = [(Variation(about), said), *((found, other) for found, other in answers if other is not None)]
    return Diagnosis(**{**vars(first), "better": _better(truth, said, tried, classes)})


def of_answers(truth: np.ndarray, said: np.ndarray, classes: Sequence[str]) -> Diagnosis:
    """What answers alone tell, class indices [n] beside the true ones: chance, and the order of the classes."""
    accuracy = share(int((truth == said).sum()), len(truth), _CONFIDENCE, "there is no held-out image")
    chance, p_value, least = _chance(truth, said)
    better = _better(truth, said, [(None, said)], classes) if _has_room(accuracy) else ()
    return Diagnosis(accuracy, chance, p_value, least, better)


def _answered(answer: Answer, variation: Variation, images: np.ndarray) -> np.ndarray | None:
    """None where the model has no answer to such an input, so that it cannot be the right one."""
    try:
        return answer(variation.of(images), variation.input)
    except NeedsAttention:
        return None


def _has_room(accuracy: Share) -> bool:
    return accuracy.high is not None and accuracy.high + MARGIN <= 1


def _chance(truth: np.ndarray, said: np.ndarray) -> tuple[float, float, float]:
    """The accuracy of the answers when they are shuffled among the images, how probable the found one or a higher one is then, and the
    same for the best answers that could be given.

    So a model that always says the same is at chance, whatever the share of that class, and so is one that guesses by the shares.
    """
    if not len(truth):
        return 0.0, 1.0, 1.0
    shares = [
        np.bincount(values, minlength=int(max(truth.max(), said.max())) + 1) / len(truth) for values in (truth, said)
    ]
    return float(shares[0] @ shares[1]), _p_value(truth, said), _p_value(truth, truth)


def _p_value(truth: np.ndarray, said: np.ndarray) -> float:
    if len(np.unique(said)) < 2 or len(truth) < 2:
        return 1.0  # shuffling changes nothing
    found = permutation_test(
        (said,),
        lambda shuffled, axis: (shuffled == truth).sum(axis=axis),
        permutation_type="pairings",
        vectorized=True,
        n_resamples=_SHUFFLES,
        batch=500,
        alternative="greater",
        random_state=0,
    )
    return float(found.pvalue)


def _better(
    truth: np.ndarray, said: np.ndarray, tried: Sequence[tuple[Variation | None, np.ndarray]], classes: Sequence[str]
) -> tuple[Better, ...]:
    """What is far better than `said`: by MARGIN more than the upper end of its interval, and by a sign test of the images that only one of
    both has right, whose level is shared by all that is tried. Each is also tried with the classes in another order."""
    now = truth == said
    high = share(int(now.sum()), len(now), _CONFIDENCE).high
    found = []
    for variation, answers in tried:
        settings = variation.settings if variation else ()
        for right, order in _orders(truth, answers, classes):
            accuracy = float(right.mean()) if len(right) else 0.0
            if high is None or accuracy < high + MARGIN or not (settings or order):
                continue
            won, lost = int((right & ~now).sum()), int((now & ~right).sum())
            if binomtest(won, won + lost, alternative="greater").pvalue <= _BETTER_LEVEL / (2 * len(tried)):
                found.append(Better(settings, order, accuracy))
    return tuple(sorted(found, key=lambda one: (-one.accuracy, len(one.settings) + (one.order is not None))))


def _orders(
    truth: np.ndarray, answers: np.ndarray, classes: Sequence[str]
) -> Iterator[tuple[np.ndarray, tuple[str, ...] | None]]:
    """Which images are right as the classes stand, and with the classes in the best order, if that is another."""
    yield truth == answers, None
    right = np.zeros(len(truth), bool)
    halves = _halves(truth, len(classes))
    for here in (halves, ~halves):  # an order is judged by images that it was not chosen by
        right[here] = _best_order(truth[~here], answers[~here], classes)[answers[here]] == truth[here]
    best = _best_order(truth, answers, classes)
    if (best != np.arange(len(classes))).any():
        yield right, tuple(classes[place] for place in best)


def _halves(truth: np.ndarray, classes: int) -> np.ndarray:
    """Every second image of each class."""
    found = np.zeros(len(truth), bool)
    for number in range(classes):
        found[np.flatnonzero(truth == number)[::2]] = True
    return found


def _best_order(truth: np.ndarray, answers: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Of each output the class that makes the most answers right. Where images do not tell, an output keeps its class."""
    counts = confusion_matrix(
        [classes[place] for place in truth], [classes[place] for place in answers], list(classes)
    ).T
    _, found = linear_sum_assignment(-(counts + 0.5 * np.eye(len(classes))))
    order: np.ndarray = found
    return order
