"""Compares a model's scores with those that the team's own serving gave for the same images. Where they differ, other ways to make the
model's input are tried on a few of the images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.recheck import Agreement
from driftwatch.config import ImagesConfig
from driftwatch.errors import NeedsAttention
from driftwatch.images.decode import decode_image
from driftwatch.images.headers import RejectedImage
from driftwatch.images.resize import Halvings, model_input
from driftwatch.models.spread import evenly
from driftwatch.models.variations import Variation, combined, of_numbers, of_pixels

# Two programs that do the same may differ by so much: decoders of JPEG and arithmetic are not alike to the last bit.
MOST_APART = 0.02
# Settings are tried on so many images.
TRIED_ON = 24
# A setting explains a difference if no more than this share of it is left.
_LEFT = 0.25
_ROUNDS = 2

# Scores [n, classes] of stored images by an input.
Ask = Callable[[np.ndarray, ModelInput], np.ndarray]


@dataclass(frozen=True)
class Tried:
    """How well scores agree by a variation of the monitor file. `mean`: the mean difference of all scores, by which they are ordered."""

    variation: Variation
    agreement: Agreement
    mean: float


def compare(ours: np.ndarray, theirs: np.ndarray) -> Agreement:
    """The differences of scores [n, classes]. That of an image is the largest of its classes."""
    apart = np.abs(ours - theirs).max(axis=1)
    other = int((ours.argmax(axis=1) != theirs.argmax(axis=1)).sum())
    largest = float(apart.max(initial=0.0))
    median = float(np.median(apart)) if len(apart) else 0.0
    return Agreement(
        images=len(apart),
        largest=round(largest, 6),
        median=round(median, 6),
        other_class=other,
        agrees=bool(largest <= MOST_APART),
    )


def to_try(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The places of the images that settings are tried on: half of them differ most, the others are spread over the classes that `theirs`
    name."""
    apart = np.abs(ours - theirs).max(axis=1)
    most = np.argsort(-apart, kind="stable")[: TRIED_ON // 2]
    return np.unique(np.concatenate([most, evenly(theirs.argmax(axis=1), TRIED_ON - len(most))]))


def other_order(ours: np.ndarray, theirs: np.ndarray, classes: Sequence[str]) -> tuple[str, ...] | None:
    """The classes in the order of the model's outputs, if another order than that of `classes` explains the difference."""
    costs = np.abs(ours[:, :, None] - theirs[:, None, :]).mean(axis=0)
    _, order = linear_sum_assignment(costs)
    now, then = np.trace(costs), costs[np.arange(len(order)), order].sum()
    return tuple(classes[place] for place in order) if then <= _LEFT * now and now > 0 else None


def search(
    files: Iterable[bytes], theirs: np.ndarray, about: ModelInput, limits: ImagesConfig, ask: Ask
) -> list[Tried]:
    """The settings that were tried, the best first. `files`: the bytes of a few images; `theirs`: the scores that were given for them.

    Numbers and pixels are changed alone, and then in turn, from the best that was found. Each picture is decoded once.
    """
    pictures = [Halvings(decode_image(data, limits).rgb) for data in files]
    found: dict[str, Tried] = {}

    def add(variations: Iterable[Variation]) -> None:
        for variation in variations:
            if variation.said not in found and (tried := _tried(pictures, theirs, variation, ask)) is not None:
                found[variation.said] = tried

    add([Variation(about), *of_numbers(about), *of_pixels(about)])
    for _ in range(_ROUNDS):
        for change in (of_numbers, of_pixels):
            best = min(found.values(), key=lambda one: one.mean).variation
            add(combined(variation, about) for variation in change(best.input))
    return sorted(found.values(), key=lambda one: (one.mean, len(one.variation.settings)))


def explains(tried: Sequence[Tried]) -> Variation | None:
    """The best setting, if it leaves little of the difference that the monitor file has."""
    now = next(one for one in tried if not one.variation.settings)
    best = tried[0]
    return best.variation if best.variation.settings and best.mean <= _LEFT * now.mean else None


def _tried(pictures: Sequence[Halvings], theirs: np.ndarray, variation: Variation, ask: Ask) -> Tried | None:
    """None where an image cannot be made like that, or the model has no answer to it."""
    try:
        images = np.stack([model_input(picture, variation.input) for picture in pictures])
        scores = ask(images, variation.input)
    except (RejectedImage, NeedsAttention):
        return None
    return Tried(variation, compare(scores, theirs), float(np.abs(scores - theirs).mean()))
