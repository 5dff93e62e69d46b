"""A stratified sample as a plain random sample of as many images would be, for whoever counts images and knows no weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.accuracy.stratified import WeightedLabels, stratified_agreement
from driftwatch.artifacts.parts import Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from driftwatch.accuracy.evidence import Evidence
    from driftwatch.artifacts.accuracy import Metrics


def as_plain(scored: pd.DataFrame, weights: Mapping[str, float]) -> pd.DataFrame:
    """As many rows as `scored` has (image_id, label, prediction), each as often as its weight says: a systematic sample of them, which has
    each pair of label and prediction to within one image of its expected number. Those of a pair are taken in the order of `weights`, which is the
    plan's: it stays when an image is forgotten and has another name. Without `weights`, `scored` itself."""
    if not weights or not len(scored):
        return scored
    place = {image_id: number for number, image_id in enumerate(weights)}
    rows = scored.assign(_place=scored["image_id"].map(place))
    rows = rows.sort_values(["label", "prediction", "_place"], ignore_index=True).drop(columns="_place")
    until = rows["image_id"].map(weights).to_numpy(dtype=float).cumsum()
    points = (np.arange(len(rows)) + 0.5) * until[-1] / len(rows)
    return rows.iloc[np.searchsorted(until, points)].reset_index(drop=True)


def weighted_metrics(counted: Metrics, evidence: Evidence, classes: Sequence[str], confidence: float) -> Metrics:
    """The accuracy and each class's metrics of a stratified sample, with the confusion matrix of `counted`, which counts the images of
    `as_plain`. For a plain sample, `counted` itself."""
    if not evidence.strata:
        return counted
    labels = WeightedLabels.of(evidence.strata)
    by_class = {name: labels.of_class(place, name, confidence) for place, name in enumerate(classes)}
    return counted.model_copy(update={"accuracy": weighted_accuracy(evidence, confidence), "classes": by_class})


def weighted_accuracy(evidence: Evidence, confidence: float) -> Share:
    """The accuracy of a stratified sample by its labels alone."""
    found = stratified_agreement(evidence.strata, confidence, "labels")
    return Share(**found.model_dump(exclude_unset=True, exclude={"effective_n"}))
