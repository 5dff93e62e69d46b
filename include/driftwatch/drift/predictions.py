"""Drift of predictions: the shares of the classes that the model predicts, against those that are usual for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftwatch.artifacts.drift import ClassShare, PredictionsTest, VersionPredictions
from driftwatch.drift.against_reference import too_few_held_out, too_small, whole_rate
from driftwatch.drift.baseline import baseline_usual
from driftwatch.drift.class_shares import ShareTest, compare_shares, whole_counts
from driftwatch.drift.dependence import bursts, share_weights
from driftwatch.drift.independent import independent_counts, independent_images
from driftwatch.drift.reference import DRIFTED, NOT_ENOUGH_EVIDENCE, OK
from driftwatch.drift.silence import SMALL
from driftwatch.drift.states import Outcome, nearest, told, usual_of_states
from driftwatch.images.judged import is_sampled
from driftwatch.models.serving import answered_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftwatch.artifacts.reference import UsualPredictions
    from driftwatch.artifacts.store import DayStore
    from driftwatch.config import ProfilingConfig


def usual_predictions(table: pd.DataFrame, held_out: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """How often the model predicts each class where the classes are as frequent as in its data.

    Returns counts by class. Their sum is the number of images that would tell the shares as surely.

    Two things are needed. The held-out images of a class, `held_out`, tell what the model predicts for it. All images tell how
    frequent the class is. The held-out images would not do for that: near-duplicates are kept together and count once, so that
    the shares of their classes depend on chance. The predictions for a class with few held-out images are drawn towards those for
    all classes together. Both parts have a sampling error: the first by class, the second by the number of independent images.
    """
    count, k = int(held_out.sum()), len(classes)
    if "label" not in table or not count:
        return _tabulate(table.loc[held_out], classes).astype(int)
    predicted, images = _predicted_by_class(table.loc[held_out], classes)
    burst = bursts(table)
    weights = np.ones(len(table)) if burst is None else 1 / np.bincount(burst)[burst]
    counted, independent = share_weights(weights)
    codes = pd.Categorical(table["label"], categories=list(classes)).codes
    frequency = np.bincount(codes, counted, minlength=k) / counted.sum()
    usual = frequency @ predicted
    of_predictions = float((frequency[:, None] ** 2 * predicted * (1 - predicted) / (images + 1)).sum())
    several = 1 - float((usual**2).sum())
    known_from = several / (several / independent + of_predictions) if several else independent
    return whole_counts(usual * round(known_from), np.arange(k), k)


def _predicted_by_class(held_out: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The chance of each prediction for an image of each class, [classes, predictions], and from how many images it is known,
    [classes, 1]. One more image in each class, predicted as in all classes together, keeps a chance away from 0."""
    k = len(classes)
    counts = np.stack([_tabulate(held_out[held_out["label"] == name], classes) for name in classes])
    right = (np.trace(counts) + 1) / (counts.sum() + 2)
    pooled = np.full((k, k), (1 - right) / max(k - 1, 1))
    np.fill_diagonal(pooled, right)
    images = counts.sum(axis=1, keepdims=True) + 1
    return (counts + pooled) / images, images


def _tabulate(table: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    return table["prediction"].value_counts().reindex(list(classes), fill_value=0).to_numpy(dtype=float)


def judge_versions(
    day: DayStore, predictions: pd.DataFrame, usual: UsualPredictions | None, version: str
) -> tuple[VersionPredictions, ...]:
    """`judge_predictions` for each model version, where several answered the day: the serving one first. Each has an equal part of the
    false-alarm rate. Of a day that is judged by a sample `of_images` are those of the whole day that the version answered."""
    answered = answered_on(day, predictions)
    if not answered.several:
        return ()
    sampled, found = is_sampled(day), []
    for name, images in answered.images.items():
        part = predictions[predictions["model_version"] == name]
        test = judge_predictions(day, part, usual, version, len(answered.images))
        told = {field: getattr(test, field) for field in test.model_fields_set} | {"version": name}
        found.append(VersionPredictions.model_validate(told | ({"of_images": images} if sampled else {})))
    return tuple(found)


def judge_predictions(
    day: DayStore, predictions: pd.DataFrame, usual: UsualPredictions | None, version: str, versions: int = 1
) -> PredictionsTest:
    """Tests the day's predicted classes against those that are `usual` for its model `version`, and against those of each accepted state.

    `predictions`: those of the day, or of one of `versions` model versions. This is the one place that says whether the predictions moved.
    Whoever tells people about it reads it from content_drift.json.
    """
    settings, n = day.config.profiling, len(predictions)
    rate = whole_rate(day.config, "predictions") / versions
    reason = too_few_held_out(usual, version if n else "the model")
    if usual is None or reason:
        return _untested(reason, rate, n, n, ())
    states = {**baseline_usual(day, version, usual), **usual_of_states(day, version)}
    independent = independent_images(day, predictions)
    effective_n = round(float(independent.sum()))
    if effective_n < settings.min_images:
        reason = too_small(effective_n, settings.min_images)
        return _untested(reason, rate, n, effective_n, _shares(day, predictions, usual))
    tests = [_against(day, predictions, independent, state, rate) for state in states.values()]
    outcomes = [Outcome(OK if _is_like(test, rate, settings) else DRIFTED, *test) for test in tests]
    best = nearest(outcomes)
    found = PredictionsTest(
        verdict=outcomes[best].verdict,
        p_value=tests[best].p_value,
        effect=round(tests[best].effect, 6),
        false_alarm_rate=rate,
        n=n,
        effective_n=effective_n,
        classes=_shares(day, predictions, list(states.values())[best]),
    ).model_copy(update=told(list(states), outcomes))
    small = outcomes[best].verdict == OK and tests[best].p_value <= rate
    return found.model_copy(update={"silenced": SMALL}) if small else found


def _is_like(test: ShareTest, rate: float, settings: ProfilingConfig) -> bool:
    return test.p_value > rate or test.effect < settings.min_effect


def _against(
    day: DayStore, predictions: pd.DataFrame, independent: np.ndarray, usual: UsualPredictions, rate: float
) -> ShareTest:
    """The day's shares against the `usual` ones. `independent` [n]: how much of an independent image each image is."""
    classes = day.config.classes
    counts = independent_counts(independent, _codes(day, predictions), len(classes))
    return compare_shares(counts, [usual.counts[name] for name in classes], rate, day.config.profiling.seed)


def _codes(day: DayStore, predictions: pd.DataFrame) -> np.ndarray:
    """The place of each predicted class among the monitor's."""
    return pd.Categorical(predictions["prediction"], categories=list(day.config.classes)).codes.astype(int)


def _shares(day: DayStore, predictions: pd.DataFrame, usual: UsualPredictions) -> tuple[ClassShare, ...]:
    n, total = len(predictions), sum(usual.counts[name] for name in day.config.classes)
    codes = _codes(day, predictions)
    counts = np.bincount(codes[codes >= 0], minlength=len(day.config.classes))
    return tuple(
        ClassShare(
            name=name,
            reference=round(usual.counts[name] / total, 6),
            day=round(int(count) / n, 6) if n else None,
        )
        for name, count in zip(day.config.classes, counts, strict=True)
    )


def _untested(reason: str, rate: float, n: int, effective_n: int, classes: tuple[ClassShare, ...]) -> PredictionsTest:
    return PredictionsTest(
        verdict=NOT_ENOUGH_EVIDENCE,
        state=None,
        reason=reason,
        p_value=None,
        effect=None,
        false_alarm_rate=rate,
        n=n,
        effective_n=effective_n,
        classes=classes,
    )
