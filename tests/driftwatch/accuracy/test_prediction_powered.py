"""Scores of unlabelled images narrow the interval, never move it from the truth, and are ignored where they are worth nothing."""

from __future__ import annotations

import numpy as np

from driftwatch.accuracy.evidence import Evidence, Scores
from driftwatch.accuracy.prediction_powered import agreement
from driftwatch.models.metrics import wilson


def day(rng: np.random.Generator, n: int, images: int, informative: bool) -> Evidence:
    """`n` labelled of `images`; the model is right with the chance that it says, or says it at random."""
    chance = rng.beta(4, 1, images)
    score = chance if informative else rng.permutation(chance)
    right = (rng.random(images) < chance).astype(float)
    f, y = score[:n], right[:n]
    hits = int(y.sum())
    confusion = np.array([[hits, n - hits], [0, 0]])
    rest = score[n:]
    sums = Scores(n, hits, f.sum(), (f**2).sum(), (f * y).sum(), images - n, rest.sum(), (rest**2).sum())
    return Evidence(confusion, sums, None)  # type: ignore[arg-type]


def test_it_is_unbiased_narrower_and_covers() -> None:
    rng = np.random.default_rng(0)
    inside, narrower, values = [], [], []
    for _ in range(600):
        evidence = day(rng, 100, 800, informative=True)
        plain, sharp = (agreement(evidence, 0.95, kind) for kind in ("labels", "prediction_powered"))
        inside.append(sharp.low <= 0.8 <= sharp.high)
        narrower.append(plain.effective_n / sharp.effective_n)
        values.append(sharp.value)
    assert 0.93 < np.mean(inside) < 0.975
    assert abs(np.mean(values) - 0.8) < 0.006
    assert np.mean(narrower) < 0.9  # ten per cent fewer labels would do


def test_scores_that_say_nothing_change_nothing_that_matters() -> None:
    rng = np.random.default_rng(1)
    inside, moved = [], []
    for _ in range(400):
        evidence = day(rng, 100, 800, informative=False)
        sharp = agreement(evidence, 0.95, "prediction_powered")
        inside.append(sharp.low <= 0.8 <= sharp.high)
        moved.append(sharp.value - evidence.right / 100)
    assert np.mean(inside) > 0.92
    assert np.std(moved) < 0.01


def test_without_other_images_or_with_all_right_it_is_wilsons_interval() -> None:
    rng = np.random.default_rng(2)
    whole = day(rng, 100, 100, informative=True)
    found = agreement(whole, 0.95, "prediction_powered")
    assert (found.low, found.high) == wilson(whole.right / 100, 100, 0.95)
    perfect = Evidence(np.array([[50, 0], [0, 50]]), Scores(100, 100, 90, 82, 90, 500, 450, 410), None)  # type: ignore[arg-type]
    assert agreement(perfect, 0.95, "prediction_powered").effective_n == 100
    nothing = Evidence(np.zeros((2, 2), int), Scores(), None)  # type: ignore[arg-type]
    assert agreement(nothing, 0.95, "prediction_powered").value is None
