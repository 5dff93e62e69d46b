"""The day's drift tests against the champion's reference, as artifacts: drift.json and the whylogs profile.

Image quality is judged in the morning, from the features alone (here); content and predictions as soon as the model has
answered (driftwatch.drift.content_drift). Each kind has its own verdict, at its share of the day's false-alarm rate.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.drift.dependence import CONTRAST, GROUP, PHASH
from driftwatch.drift.reference import DRIFTED, IMAGE_QUALITY, OK, QUANTILES, DriftReport, Reference
from driftwatch.drift.trend import MOST_DAYS, day_scores, trend
from driftwatch.errors import MissingArtifact

if TYPE_CHECKING:
    from driftwatch.config import ProfilingConfig

logger = logging.getLogger(__name__)

EXAMPLES = 6
# Beyond this many of the reference's standard deviations an image is as good an example as any: typical, not extreme.
_FAR = 3.0


def build_reference(store: MonitorStore, version: str, features: pd.DataFrame) -> Reference:
    """Writes the reference of model `version` from the features of the images it was trained on, and their profile.

    Of near-duplicates by a column `phash` one is kept. A reference has no day of its own; its profile carries the monitor's
    first day.
    """
    from driftwatch.drift.whylogs_profiles import feature_profile

    settings = store.config.profiling
    table = features.drop(columns="image_id", errors="ignore")
    reference = Reference.build(table, kind_rate(settings, IMAGE_QUALITY), settings.seed, settings.min_images)
    reference.save(store.storage, store.keys, version)
    numbers = table.drop(columns=PHASH, errors="ignore")
    store.storage.write_bytes(
        store.keys.reference_profile(version), feature_profile(numbers, store.config.schedule.start_date)
    )
    return reference


def profile_day(day: DayStore, version: str) -> dict[str, Any]:
    """Tests the day's features against the reference of model `version`; writes drift.json and the day's whylogs profile.

    Beside the day's own verdict drift.json has the trend over this reference's days up to this one, and the distances that
    WhyLabs would show. Returns its content. Raises MissingArtifact where the day was not taken in or the reference not built.
    """
    from driftwatch.drift.whylogs_profiles import feature_profile, hellinger, read_profile

    features = day.storage.read_table(day.keys.features)
    reference = load_reference(day.monitor, version, IMAGE_QUALITY, day.config.profiling)
    batch = with_clusters(day, features, day.config.profiling)
    report = tested(day.monitor, version, IMAGE_QUALITY, reference, batch)
    profile = feature_profile(features.drop(columns="image_id"), day.date)
    usual = day.storage.read_bytes(day.monitor.keys.reference_profile(version))
    drift = {
        "day": day.date.isoformat(),
        "reference_version": version,
        "day_false_alarm_rate": day.config.profiling.false_alarm_rate,
        **as_json(report),
        "examples": examples(features, reference, report),
        "hellinger": hellinger(read_profile(profile), read_profile(usual)),
        "day_scores": day_scores(features, reference.features, report.weights) if report.verdict == OK else None,
    }
    drift["trend"] = _trend(day.monitor, drift, day.config.profiling)
    day.storage.write_bytes(day.keys.feature_profile, profile)
    day.storage.write_json(day.keys.drift, drift)
    logger.info(
        "%s: %s, p = %s, drifted: %s; trend over %s days: %s",
        day.date,
        report.verdict,
        report.p_value,
        drift["drifted_features"],
        drift["trend"]["days"],
        drift["trend"]["verdict"],
    )
    return drift


def kind_rate(settings: ProfilingConfig, kind: str) -> float:
    """The false-alarm rate of one kind of drift: its share of the day's."""
    return settings.false_alarm_rate * float(getattr(settings.false_alarm_shares, kind))


def load_reference(store: MonitorStore, version: str, kind: str, settings: ProfilingConfig) -> Reference:
    """The reference as the monitor file wants it, also where that changed since; calibrations that no longer fit go."""
    reference = Reference.load(store.storage, store.keys, version, kind)
    current = dataclasses.replace(
        reference, false_alarm_rate=kind_rate(settings, kind), seed=settings.seed, min_images=settings.min_images
    )
    if (current.seed, current.splits) != (reference.seed, reference.splits):
        current.calibrations = {}
    return current


def tested(store: MonitorStore, version: str, kind: str, reference: Reference, batch: pd.DataFrame) -> DriftReport:
    """The test's report; a calibration that it needed is kept with the reference."""
    known = set(reference.calibrations)
    report = reference.test(batch)
    if set(reference.calibrations) != known:
        reference.save_calibrations(store.storage, store.keys, version, kind)
    return report


def with_clusters(day: DayStore, table: pd.DataFrame, settings: ProfilingConfig) -> pd.DataFrame:
    """`table` with what tells which images are not independent: perceptual hash, and group where the monitor file has a pattern."""
    wanted = ["image_id", PHASH, *(["key"] if settings.group_pattern else [])]
    manifest = (
        day.storage.read_arrow(day.keys.manifest, wanted)
        .to_pandas()
        .dropna(subset="image_id")
        .drop_duplicates("image_id")
    )
    rows = manifest.set_index("image_id").reindex(table["image_id"])
    added: dict[str, Any] = {PHASH: rows[PHASH].to_numpy()}
    if CONTRAST not in table.columns:
        features = day.storage.read_arrow(day.keys.features, ["image_id", CONTRAST]).to_pandas().set_index("image_id")
        added[CONTRAST] = features[CONTRAST].reindex(table["image_id"]).to_numpy()
    if settings.group_pattern:
        names = [own_key(day.keys.monitor, str(key)).removeprefix(f"{day.keys.incoming}/") for key in rows["key"]]
        found = [re.search(settings.group_pattern, name) for name in names]
        # An image that the pattern does not fit is a group of its own.
        added[GROUP] = [match[1] if match else name for match, name in zip(found, names, strict=True)]
    return table.assign(**added)


def examples(table: pd.DataFrame, reference: Reference, report: DriftReport) -> list[str]:
    """The images that lie furthest in the direction of the drift, over all drifted features alike."""
    drifted = report.features[report.features["verdict"] == DRIFTED]
    if not len(drifted):
        return []
    distance = np.zeros(len(table))
    for row in drifted.itertuples():
        theirs = reference.features[row.feature]
        spread = float(theirs.std()) or 1.0
        away = (table[row.feature].to_numpy() - theirs.median()) / spread
        distance += np.clip(-away if row.direction == "down" else away, -_FAR, _FAR)
    order = np.lexsort((table["image_id"].to_numpy(str), -distance.round(6)))
    return table["image_id"].iloc[order[:EXAMPLES]].tolist()


def as_json(report: DriftReport) -> dict[str, Any]:
    """A report for an artifact."""
    table = report.features.rename(columns={"batch_quantiles": "day_quantiles"})
    rows = [
        {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
    return {
        "verdict": report.verdict,
        "false_alarm_rate": report.false_alarm_rate,
        "n": report.n,
        "effective_n": report.effective_n,
        "reference_of_mix": report.reference_of_mix,
        "score": report.score,
        "p_value": report.p_value,
        "drifted_features": [row["feature"] for row in rows if row["verdict"] == DRIFTED],
        "quantiles": list(QUANTILES),
        "features": rows,
    }


def _trend(store: MonitorStore, drift: dict[str, Any], settings: ProfilingConfig) -> dict[str, Any]:
    """Over the days before this one and this one, as far as they have the same reference and no drift of their own: such a
    day is told already, and would hide a slow change before or after it."""
    before = [day for day in store.days() if day.isoformat() < drift["day"]][-MOST_DAYS:]
    keys = [store.keys.day(day).drift for day in before]
    days = []
    for fetched in store.storage.iter_bytes(keys):
        if not isinstance(fetched.error, MissingArtifact):  # a day that was not profiled
            days.append(store.storage.parsed_json(fetched.key, fetched.data))
    days = [day for day in [*days, drift] if day["reference_version"] == drift["reference_version"]]
    scored = [
        {"day": day["day"], "n": day["effective_n"], "scores": day["day_scores"]}
        for day in days
        if day.get("day_scores")
    ]
    found = trend(scored, settings.trend_false_alarms_per_year)
    return found if drift["day_scores"] else {**found, "crossed": False}
