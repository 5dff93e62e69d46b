"""The day's drift test against the champion's reference, as artifacts: drift.json and the whylogs profile."""

from __future__ import annotations

import dataclasses
import logging
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftwatch.profiling.reference import DRIFTED, QUANTILES, DriftReport, Reference

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig, ProfilingConfig
    from driftwatch.layout import DayLayout, MonitorLayout
    from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

EXAMPLES = 6
# Beyond this many of the reference's standard deviations an image is as good an example as any: typical, not extreme.
_FAR = 3.0


def build_reference(
    storage: Storage, layout: MonitorLayout, version: str, features: pd.DataFrame, config: MonitorConfig
) -> Reference:
    """Writes the reference of model `version` from the features of the images it was trained on, and their profile.

    A reference has no day of its own; its profile carries the monitor's first day.
    """
    from driftwatch.profiling.whylogs_profiles import feature_profile

    settings = config.profiling
    numbers = features.drop(columns="image_id", errors="ignore")
    reference = Reference.build(numbers, settings.false_alarm_rate, settings.seed, settings.min_images)
    reference.save(storage, layout, version)
    storage.write_bytes(layout.reference_profile(version), feature_profile(numbers, config.schedule.start_date))
    return reference


def profile_day(
    storage: Storage, day_layout: DayLayout, monitor_layout: MonitorLayout, config: MonitorConfig, version: str
) -> dict[str, Any]:
    """Tests the day's features against the reference of model `version`; writes drift.json and the day's whylogs profile.

    Returns the content of drift.json. Raises MissingArtifact where the day was not taken in or the reference not built.
    """
    from driftwatch.profiling.whylogs_profiles import feature_profile

    features = storage.read_table(day_layout.features)
    reference = _with_settings(Reference.load(storage, monitor_layout, version), config.profiling)
    known = set(reference.calibrations)
    report = reference.test(features)
    if set(reference.calibrations) != known:
        reference.save_calibrations(storage, monitor_layout, version)
    drift = _as_json(report, day_layout, version, _examples(features, reference, report))
    storage.write_bytes(day_layout.feature_profile, feature_profile(features.drop(columns="image_id"), day_layout.day))
    storage.write_json(day_layout.drift, drift)
    logger.info(
        "%s: %s, p = %s, drifted: %s", day_layout.day, report.verdict, report.p_value, drift["drifted_features"]
    )
    return drift


def _with_settings(reference: Reference, settings: ProfilingConfig) -> Reference:
    """The monitor file decides, also where it changed since the reference was built; calibrations that no longer fit go."""
    current = dataclasses.replace(
        reference, false_alarm_rate=settings.false_alarm_rate, seed=settings.seed, min_images=settings.min_images
    )
    if (current.seed, current.splits) != (reference.seed, reference.splits):
        current.calibrations = {}
    return current


def _examples(features: pd.DataFrame, reference: Reference, report: DriftReport) -> list[str]:
    """The images that lie furthest in the direction of the drift, over all drifted features alike."""
    drifted = report.features[report.features["verdict"] == DRIFTED]
    if not len(drifted):
        return []
    distance = np.zeros(len(features))
    for row in drifted.itertuples():
        theirs = reference.features[row.feature]
        spread = float(theirs.std()) or 1.0
        away = (features[row.feature].to_numpy() - theirs.median()) / spread
        distance += np.clip(-away if row.direction == "down" else away, -_FAR, _FAR)
    order = np.lexsort((features["image_id"].to_numpy(str), -distance.round(6)))
    return features["image_id"].iloc[order[:EXAMPLES]].tolist()


def _as_json(report: DriftReport, layout: DayLayout, version: str, examples: list[str]) -> dict[str, Any]:
    table = report.features.rename(columns={"batch_quantiles": "day_quantiles"})
    rows = [
        {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
    return {
        "day": layout.day.isoformat(),
        "verdict": report.verdict,
        "reference_version": version,
        "false_alarm_rate": report.false_alarm_rate,
        "n": report.n,
        "score": report.score,
        "p_value": report.p_value,
        "drifted_features": [row["feature"] for row in rows if row["verdict"] == DRIFTED],
        "quantiles": list(QUANTILES),
        "features": rows,
        "examples": examples,
    }
