"""A day's table against one kind of reference: what the kinds of drift have in common.

Two kinds go through the test of `driftwatch.drift.reference`: image quality, by the features of the images, and content, by the
components of the model's embeddings. The third kind, the predictions, shares their false-alarm rate and the weights of the images.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from driftwatch.artifacts.drift import FeatureDrift, FeaturesTest
from driftwatch.artifacts.keys import own_key
from driftwatch.drift.dependence import CONTRAST, GROUP, PHASH
from driftwatch.drift.reference import DRIFTED, MIN_REFERENCE, QUANTILES, DriftReport, Reference, ReferenceKind
from driftwatch.drift.segments import rates
from driftwatch.images.judged import told_of
from driftwatch.images.layout import below, images_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftwatch.artifacts.base import Part
    from driftwatch.artifacts.reference import UsualPredictions
    from driftwatch.artifacts.store import DayStore, MonitorStore
    from driftwatch.config import MonitorConfig, ProfilingConfig

DriftKind = Literal[ReferenceKind, "predictions"]

EXAMPLES = 6
# What lies further away, in the reference's standard deviations, counts as no further: an example is typical, not extreme.
_FAR = 3.0


def kind_rate(settings: ProfilingConfig, kind: DriftKind) -> float:
    """The false-alarm rate of one kind of drift: its share of the day's rate."""
    return settings.false_alarm_rate * float(getattr(settings.false_alarm_shares, kind))


def whole_rate(config: MonitorConfig, kind: DriftKind) -> float:
    """The part of one kind's rate that the day as a whole has; its segments have the rest, where the monitor file names any."""
    return rates(config, kind_rate(config.profiling, kind), kind)[0]


def load_reference(store: MonitorStore, version: str, kind: ReferenceKind) -> Reference:
    """The reference of model `version`, or of a state (`MonitorKeys.state_place`), with the rate, the seed and the least number of images
    of the monitor file.

    These may have changed since it was built. Calibrations that no longer fit are left out.
    """
    settings = store.config.profiling
    reference = Reference.load(store, version, kind)
    current = dataclasses.replace(
        reference, false_alarm_rate=whole_rate(store.config, kind), seed=settings.seed, min_images=settings.min_images
    )
    if (current.seed, current.splits) != (reference.seed, reference.splits):
        current.calibrations = {}
    return current


def report_of(
    store: MonitorStore, version: str, kind: ReferenceKind, reference: Reference, batch: pd.DataFrame
) -> DriftReport:
    """The report of the test. A calibration that was made for it is kept with the reference, if that was not built anew meanwhile: a
    calibration may take minutes."""
    known = set(reference.calibrations)
    report = reference.test(batch)
    if set(reference.calibrations) != known:
        now = Reference.load(store, version, kind)
        if now.decoding == reference.decoding and now.features.equals(reference.features):
            reference.save_calibrations(store, version, kind)
    return report


def with_clusters(day: DayStore, table: pd.DataFrame) -> pd.DataFrame:
    """`table` with the columns that tell which images are not independent.

    These are the perceptual hash, the contrast (a hash means nothing without contrast), and the group where
    `profiling.group_pattern` is set.
    """
    pattern = day.config.profiling.group_pattern
    ids = table["image_id"].tolist()
    told = told_of(day, day.keys.manifest, [PHASH, *(["key"] if pattern else [])], ids)
    manifest = told.dropna(subset="image_id").drop_duplicates("image_id")
    rows = manifest.set_index("image_id").reindex(table["image_id"])
    found = table.assign(**{PHASH: rows[PHASH].to_numpy()})
    if CONTRAST not in table.columns:
        features = told_of(day, day.keys.features, [CONTRAST], ids).set_index("image_id")
        found[CONTRAST] = features[CONTRAST].reindex(table["image_id"]).to_numpy()
    if pattern:
        found[GROUP] = _groups(day, [str(key) for key in rows["key"]], pattern)
    return found


def _groups(day: DayStore, keys: Sequence[str], pattern: str) -> list[str]:
    """The group of each image, from its path under the day's folder. An image that the pattern does not fit is a group of its own."""
    root = images_root(day)
    names = [below(root, own_key(day.keys.monitor, key)) for key in keys]
    found = [re.search(pattern, name) for name in names]
    return [match[1] if match else name for match, name in zip(found, names, strict=True)]


def examples(table: pd.DataFrame, reference: Reference, report: DriftReport) -> tuple[str, ...]:
    """Ids of the EXAMPLES images that lie furthest in the direction of the drift, all drifted features added up."""
    drifted = report.features[report.features["verdict"] == DRIFTED]
    if not len(drifted):
        return ()
    distance = np.zeros(len(table))
    for row in drifted.itertuples():
        theirs = reference.features[row.feature]
        spread = float(theirs.std()) or 1.0
        away = (table[row.feature].to_numpy() - theirs.median()) / spread
        distance += np.clip(-away if row.direction == "down" else away, -_FAR, _FAR)
    order = np.lexsort((table["image_id"].to_numpy(str), -distance.round(6)))
    return tuple(table["image_id"].iloc[order[:EXAMPLES]])


def features_test(report: DriftReport) -> FeaturesTest:
    """The report as it stands in drift.json and content_drift.json."""
    rows = tuple(
        FeatureDrift(
            feature=row.feature,
            test=row.test,
            statistic=_known(row.statistic),
            effect=_known(row.effect),
            shift=_known(row.shift),
            direction=row.direction,
            p_value=_known(row.p_value),
            verdict=row.verdict,
            reference_quantiles=tuple(row.reference_quantiles),
            day_quantiles=tuple(row.batch_quantiles),
            **({"silenced": row.silenced} if getattr(row, "silenced", None) else {}),
        )
        for row in report.features.itertuples()
    )
    return FeaturesTest(
        verdict=report.verdict,
        false_alarm_rate=report.false_alarm_rate,
        n=report.n,
        effective_n=report.effective_n,
        reference_of_mix=report.reference_of_mix,
        score=report.score,
        p_value=report.p_value,
        drifted_features=tuple(row.feature for row in rows if row.verdict == DRIFTED),
        quantiles=QUANTILES,
        features=rows,
    )


def set_fields(part: Part) -> dict[str, Any]:
    """The fields that are set, so that another part which has them too writes no others."""
    return {name: getattr(part, name) for name in part.model_fields_set}


def too_few_held_out(usual: UsualPredictions | None, version: str) -> str:
    """Why there is no reference of content and predictions; empty where there is one.

    `usual`: the usual predictions of model `version`; None where it has none.
    """
    if usual is None:
        return f"the reference of {version} is of an earlier Driftwatch and has no held-out images: a newly registered model has"
    if usual.images < MIN_REFERENCE:
        return (
            f"{version} has {usual.images} held-out images; {MIN_REFERENCE} are needed: add images to the training set"
        )
    return ""


def too_small(effective_n: int, min_images: int) -> str:
    """Why a day of `effective_n` independent images is not tested."""
    return f"{effective_n} independent images; profiling.min_images is {min_images}"


def _known(value: float) -> float | None:
    """None for NaN, which a data frame holds where there was no test."""
    return None if math.isnan(value) else value
