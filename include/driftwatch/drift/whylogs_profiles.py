"""whylogs profiles of one day: of its image features, and of the performance on its labelled sample.

A profile has the statistics of each column and no rows: counts, quantile sketches and so on, which is what WhyLabs takes.

The same rows give the same bytes, in any order of rows and in any process. For that, the columns are sorted before they are logged,
and the protobuf maps are written in the order of their keys. The quantile sketches are large enough not to compact: whylogs compacts
with random bits that cannot be seeded. Above `EXACT_ROWS` rows they do compact. Then the bytes differ between runs, and `content_hash`,
which is made from the values, stays the same; the upload ledger goes by that hash.

The first call imports whylogs, without its analytics and without its look-up of a configuration file on the network.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import math
import os
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timezone
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
import pandas as pd

from driftwatch.drift.whylogs_bytes import OneSegment, serialized
from driftwatch.errors import DriftwatchError
from driftwatch.seams import Extra

if TYPE_CHECKING:
    from whylogs.core import DatasetProfileView
    from whylogs.core.metrics.metrics import MetricConfig
    from whylogs.core.model_performance_metrics.confusion_matrix import ConfusionMatrix

# It tells each message that it reads, which are dozens for each profile.
logging.getLogger("whylogs.core.utils.protobuf_utils").setLevel(logging.WARNING)
WHYLOGS = Extra(
    "whylogs",
    "whylogs",
    "publish nothing by `publish: {sinks: []}`. On Python 3.13 there is no whylogs: drift, labels and verdicts go on without it",
)
EXACT_ROWS = 16_384  # 8 bytes for each value: about 1.8 MB for a day of this many images and 13 features
_DEFAULT_SKETCH_SIZE = 1024
_ROWS_A_BIN, _MOST_BINS = 4, 30  # of whylogs' Hellinger distance


class ProfileError(DriftwatchError):
    """The values cannot be profiled, or the bytes are no whylogs profile."""


class ConfusionCounts(TypedDict):
    """`counts[target][prediction]` in the order of `labels`."""

    labels: list[str]
    counts: list[list[int]]


def without_network() -> None:
    """Switches off the analytics of whylogs and its look-up of a configuration file; to be called before whylogs is imported."""
    os.environ.setdefault("_WHYLABS_SKIP_CONFIG_READ", "1")
    os.environ.setdefault("WHYLOGS_NO_ANALYTICS", "True")


def makes_profiles(sinks: Sequence[str]) -> bool:
    """Whether profiles are made here: wherever whylogs is installed. Raises ConfigError where it is not and `sinks`, the monitor's
    `publish.sinks`, are to be given some."""
    if sinks:
        WHYLOGS.require("publish.sinks")
    return WHYLOGS.is_installed


def feature_profile(features: pd.DataFrame, day: date, of: OneSegment | None = None) -> bytes:
    """A v1 profile ("WHY1") of numeric columns, one row for each image.

    The columns keep their names. The timestamp is the day's midnight UTC. NaN is counted as missing. `of`: the segment that the rows are.

    Raises ProfileError where there are no rows; where a column is not numeric (ids do not belong in a profile: whylogs would keep
    their most frequent values); and where a value is infinite (it would make the mean NaN).
    """
    return serialized(_tracked([features], day, len(features)), of)


def profile_of_pieces(pieces: Iterable[pd.DataFrame], day: date) -> bytes:
    """`feature_profile` of rows that come piece by piece, and may be too many for memory. Such profiles are merged without a loss of their own."""
    return serialized(_tracked(pieces, day, EXACT_ROWS))


def _tracked(pieces: Iterable[pd.DataFrame], day: date, rows: int) -> DatasetProfileView:
    without_network()
    from whylogs.core import DatasetProfile, DatasetSchema

    midnight = _midnight(day)
    schema = DatasetSchema(default_configs=_config(rows))
    profile = DatasetProfile(schema=schema, dataset_timestamp=midnight, creation_timestamp=midnight)
    for features in pieces:
        _check_features(features)
        profile.track(pandas=pd.DataFrame({name: np.sort(features[name].to_numpy()) for name in features.columns}))
    return profile.view()


def content_hash(features: pd.DataFrame) -> str:
    """SHA-256 of what `feature_profile` describes: the values of each column, in any order of rows and columns."""
    _check_features(features)
    digest = hashlib.sha256()
    for name in sorted(features.columns):
        values = np.sort(features[name].to_numpy(dtype="<f8")) + 0.0  # -0.0 is 0.0
        values[np.isnan(values)] = np.nan  # one bit pattern
        digest.update(json.dumps([name, len(values)]).encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def performance_profile(
    targets: Sequence[str],
    predictions: Sequence[str],
    scores: Sequence[float],
    day: date,
    classes: Sequence[str] = (),
    of: OneSegment | None = None,
) -> bytes:
    """A v0 profile with the confusion matrix of the labelled sample, each cell holding the distribution of the score.

    `of`: the segment that the sample is. `scores`: the model's score for its prediction. `classes` are kept in the matrix even where the sample has none of them. It is v0
    since v1 files drop performance metrics.

    Raises ProfileError for empty or unequal inputs, a missing label, a score that is not finite (whylogs would drop the sample without
    a word), and more classes than whylogs supports (256).
    """
    rows = _performance_rows(targets, predictions, scores)
    without_network()
    from whylogs.core import DatasetProfileView
    from whylogs.core.model_performance_metrics import ModelPerformanceMetrics

    matrix = _confusion_matrix(sorted({*classes, *(row[0] for row in rows), *(row[1] for row in rows)}))
    matrix.default_config = _config(len(rows))
    matrix.add([row[1] for row in rows], [row[0] for row in rows], [row[2] for row in rows])
    midnight = _midnight(day)
    view = DatasetProfileView(columns={}, dataset_timestamp=midnight, creation_timestamp=midnight)
    view.add_model_performance_metrics(ModelPerformanceMetrics(confusion_matrix=matrix))
    return serialized(view, of)


def performance_content_hash(targets: Sequence[str], predictions: Sequence[str], scores: Sequence[float]) -> str:
    """SHA-256 of what `performance_profile` describes, in any order of samples."""
    rows = _performance_rows(targets, predictions, scores)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def read_profile(data: bytes) -> DatasetProfileView:
    """The profile in v1 or v0 bytes, with its performance metrics; raises ProfileError for anything else."""
    without_network()
    from whylogs.core import DatasetProfileView
    from whylogs.core.proto.v0 import DatasetProfileMessageV0
    from whylogs.core.utils import read_delimited_protobuf
    from whylogs.core.view.dataset_profile_view import WHYLOGS_MAGIC_HEADER_BYTES as MAGIC
    from whylogs.migration.converters import v0_to_v1_view

    try:
        if data[:4] == MAGIC:
            return DatasetProfileView.deserialize(data)
        message = read_delimited_protobuf(io.BytesIO(data), DatasetProfileMessageV0)
        if not message.properties.data_timestamp:
            raise ValueError("no timestamp")
        return v0_to_v1_view(message, allow_partial=True)
    # Of damaged bytes the sketch, the protobuf or the file layer complains first, each with errors of its own.
    except Exception as error:
        raise ProfileError(
            f"{len(data)} bytes are not a readable whylogs profile (v1 or v0): {error}. Write the profile again: for a day, clear "
            "the step that wrote it"
        ) from error


def merge_views(views: Iterable[DatasetProfileView]) -> DatasetProfileView:
    """One profile of all rows. Counts, means and deviations are exact, quantiles approximate; the same profile twice counts twice.

    The views must come from `read_profile`, since whylogs merges live confusion matrices wrongly. They are used up: whylogs changes
    the left one. Raises ProfileError where there is none.
    """
    left = iter(views)
    merged = next(left, None)
    if merged is None:
        raise ProfileError("there are no profiles to merge: at least one is needed")
    for view in left:
        merged = merged.merge(view)
    return merged


def summary(view: DatasetProfileView) -> dict[str, dict[str, float | None]]:
    """For each column: count, missing, mean, stddev, min, max, median, quantiles q_05, q_25, q_75, q_95, distinct.

    None where the profile has no such number.
    """
    wanted = {
        "count": "counts/n",
        "mean": "distribution/mean",
        "stddev": "distribution/stddev",
        "min": "distribution/min",
        "max": "distribution/max",
        "median": "distribution/median",
        **{name: f"distribution/{name}" for name in ("q_05", "q_25", "q_75", "q_95")},
        "distinct": "cardinality/est",
    }
    described: dict[str, dict[str, float | None]] = {}
    for name, column in sorted(view.get_columns().items()):
        found = column.to_summary_dict()
        described[name] = {key: _number(found.get(path)) for key, path in wanted.items()}
        described[name]["missing"] = _number(found.get("counts/null"))  # whylogs counts NaN as null, too
    return described


def hellinger(target: DatasetProfileView, reference: DatasetProfileView) -> dict[str, float]:
    """The Hellinger distance of the histograms of each column that both have, 0 to 1.

    It is computed as viz.drift.column_drift_algorithms.Hellinger of whylogs does (which needs IPython): at most 30 equally wide bins
    over both ranges, four rows in each. Its size depends on the number of rows: no threshold has a known false-alarm rate.
    """
    found = {}
    for name in sorted(set(target.get_columns()) & set(reference.get_columns())):
        metrics = [view.get_columns()[name].get_metric("distribution") for view in (target, reference)]
        sketches = [metric.kll.value for metric in metrics if metric is not None and not metric.kll.value.is_empty()]
        if len(sketches) < 2:
            continue
        low = min(sketch.get_min_value() for sketch in sketches)
        high = max(sketch.get_max_value() for sketch in sketches)
        bins = max(min(math.ceil(sum(sketch.get_n() for sketch in sketches) / _ROWS_A_BIN), _MOST_BINS), 2)
        # Between numbers that differ in their last digits alone there are fewer edges than bins.
        edges = np.unique(np.linspace(low, high, bins + 1)[1:-1]) if high > low else np.array([low + 1.0])
        ours, theirs = (np.sqrt(sketch.get_pmf(edges.tolist())) for sketch in sketches)
        found[name] = round(float(np.linalg.norm(ours - theirs) / math.sqrt(2)), 6)
    return found


def confusion_counts(view: DatasetProfileView) -> ConfusionCounts | None:
    """The confusion matrix in a profile, or None where it has none."""
    metrics = view.model_performance_metrics
    if metrics is None or metrics.confusion_matrix is None:
        return None
    matrix = metrics.confusion_matrix
    cells = matrix.confusion_matrix  # by (prediction, target); a cell that is missing or None is empty

    def count(target: int, prediction: int) -> int:
        cell = cells.get((prediction, target))
        return int(cell.n) if cell is not None else 0

    size = range(len(matrix.labels))
    return {"labels": [str(label) for label in matrix.labels], "counts": [[count(t, p) for p in size] for t in size]}


def _check_features(features: pd.DataFrame) -> None:
    if features.empty:
        raise ProfileError(
            f"there are {len(features)} rows and {len(features.columns)} columns to profile: at least one of each is needed"
        )
    for name in features.columns:
        if not pd.api.types.is_numeric_dtype(features[name]):
            raise ProfileError(
                f"column {name!r} is {features[name].dtype}: only numeric columns are profiled; leave it out"
            )
        if np.isinf(features[name].to_numpy(dtype=float)).any():
            raise ProfileError(f"column {name!r} has an infinite value: use NaN for a feature that cannot be computed")


def _performance_rows(
    targets: Sequence[str], predictions: Sequence[str], scores: Sequence[float]
) -> list[tuple[str, str, float]]:
    if not len(targets) == len(predictions) == len(scores) or not len(targets):
        raise ProfileError(
            f"{len(targets)} targets, {len(predictions)} predictions, {len(scores)} scores:"
            " equal numbers, at least 1, are needed"
        )
    rows = [(t, p, float(s)) for t, p, s in zip(targets, predictions, scores, strict=True)]
    for number, (target, prediction, score) in enumerate(rows):
        if not isinstance(target, str) or not isinstance(prediction, str):
            raise ProfileError(
                f"sample {number}: target {target!r} and prediction {prediction!r} must both be class names"
            )
        if not math.isfinite(score):
            raise ProfileError(f"sample {number}: score {score} is not a finite number")
    return sorted(rows)


def _confusion_matrix(labels: list[str]) -> ConfusionMatrix:
    from whylogs.core.model_performance_metrics.confusion_matrix import ConfusionMatrix

    try:
        return ConfusionMatrix(labels)
    except ValueError as error:
        raise ProfileError(str(error)) from error


def _config(rows: int) -> MetricConfig:
    from whylogs.core.metrics.metrics import MetricConfig

    size = min(max(rows, _DEFAULT_SKETCH_SIZE), EXACT_ROWS)
    return MetricConfig(kll_k=size, kll_k_large=size)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.utc)


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else value
