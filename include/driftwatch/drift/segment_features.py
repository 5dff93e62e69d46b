"""Image quality and content of each segment: its features against those of its own usual images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftwatch.artifacts.segments import SegmentFeature
from driftwatch.drift.class_mix import PREDICTION, rows_of_the_days_mix
from driftwatch.drift.dependence import GROUP, PHASH, weights_of
from driftwatch.drift.reference import MIN_REFERENCE
from driftwatch.drift.segment_days import DAY, Segment, first_of_bursts, sampled
from driftwatch.drift.segment_tests import Sample, Tested, judge_samples
from driftwatch.drift.segments import Judged, Untested
from driftwatch.drift.two_sample import TESTS

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import MonitorConfig

EXAMPLES = 6
_FAR = 3.0  # standard deviations; what lies further away counts as no further: an example is typical, not extreme
_IQR_OF_NORMAL = 1.349
# Beyond twice as many images as there are usual ones, more of them hardly tell more.
_OURS = 2


@dataclass(frozen=True)
class _Compared:
    """A segment's images and one sample of its usual ones."""

    ours: pd.DataFrame
    sample: Sample


def judge_features(
    table: pd.DataFrame,
    rows: Mapping[Segment, np.ndarray],
    usual: Mapping[Segment, Sequence[pd.DataFrame]],
    columns: Sequence[str],
    config: MonitorConfig,
) -> dict[Segment, tuple[int, Judged | Untested]]:
    """Each segment's number of images and its test. `table`: the day's images with the `columns` of features, `phash`, and `prediction`
    and `group` where known; `rows`: those of each segment; `usual`: the samples that it is compared with."""
    settings, seed = config.profiling.segments, config.profiling.seed
    compared: dict[Segment, list[_Compared]] = {}
    found: dict[Segment, tuple[int, Judged | Untested]] = {}
    for segment, kept in first_of_bursts(table, rows).items():
        most = _OURS * settings.max_images
        ours = table.iloc[sampled(kept, most, segment, (seed,))]
        weights = weights_of(ours.drop(columns=PHASH), columns) if GROUP in table.columns else None
        samples = [_Compared(ours, _sample(ours, of, columns, weights, seed)) for of in usual.get(segment, ())]
        samples = [one for one in samples if len(one.sample.usual) >= MIN_REFERENCE]
        effective_n = len(kept) if weights is None else round(float(np.median(weights.sum(axis=0))))
        if samples and effective_n >= settings.min_images:
            compared[segment] = samples
        else:
            known = max((len(of) for of in usual.get(segment, ())), default=0)
            found[segment] = len(rows[segment]), Untested(effective_n, known)
    flat = [(segment, one) for segment, samples in compared.items() for one in samples]
    tests = judge_samples([one.sample for _, one in flat], seed)
    likest: dict[Segment, tuple[_Compared, Tested]] = {}
    for (segment, one), test in zip(flat, tests, strict=True):
        if segment not in likest or test.p_value > likest[segment][1].p_value:
            likest[segment] = one, test
    judged = {segment: (len(rows[segment]), _judged(*best, columns)) for segment, best in likest.items()}
    return {**found, **judged}


def _sample(
    ours: pd.DataFrame, usual: pd.DataFrame, columns: Sequence[str], weights: np.ndarray | None, seed: int
) -> Sample:
    """Where both have a column `prediction`, the usual images have the segment's mix of classes."""
    if PREDICTION in ours.columns and PREDICTION in usual.columns and len(ours):
        day, known = (table[PREDICTION].astype(str).to_numpy(object) for table in (ours, usual))
        mixed = rows_of_the_days_mix(day, known, np.ones(len(day)), seed)
        usual = usual if mixed is None or len(mixed) < MIN_REFERENCE else usual.iloc[mixed]
    days = usual[DAY].to_numpy() if DAY in usual.columns else None
    return Sample(ours[list(columns)].to_numpy(float), usual[list(columns)].to_numpy(float), weights, days)


def _judged(compared: _Compared, test: Tested, columns: Sequence[str]) -> Judged:
    ours, usual = compared.sample.ours, compared.sample.usual
    effects = np.array([_distance(ours[:, place], usual[:, place]) for place in range(len(columns))])
    low, middle, high = np.quantile(usual, [0.25, 0.5, 0.75], axis=0)
    spread = (high - low) / _IQR_OF_NORMAL
    spread = np.where(spread > 0, spread, np.where(usual.std(axis=0) > 0, usual.std(axis=0), 1.0))
    shift = np.median(ours, axis=0) - middle
    shift = np.where(shift == 0, ours.mean(axis=0) - usual.mean(axis=0), shift)

    def describe(moved: np.ndarray, times: float) -> tuple[tuple[SegmentFeature, ...], tuple[str, ...]]:
        rows, away = [], np.zeros(len(ours))
        for place in moved:
            name = TESTS[int(test.scores[place].argmax())]
            sign = {"low_tail": -1.0, "high_tail": 1.0}.get(name, float(np.sign(shift[place])))
            rows.append(
                SegmentFeature(
                    feature=columns[place],
                    test=name,
                    effect=round(float(effects[place]), 6),
                    direction={1.0: "up", -1.0: "down"}.get(sign, "none"),
                    p_value=min(1.0, float(test.of_features[place] * times)),
                )
            )
            away += np.clip((sign or 1.0) * (ours[:, place] - middle[place]) / spread[place], -_FAR, _FAR)
        ids = compared.ours["image_id"].to_numpy(str)
        return tuple(rows), tuple(ids[np.lexsort((ids, -away.round(6)))[:EXAMPLES]].tolist())

    return Judged(test.p_value, compared.sample.effective_n, len(usual), test.of_features, effects, describe)


def _distance(ours: np.ndarray, usual: np.ndarray) -> float:
    """Kolmogorov-Smirnov distance, 0 to 1."""
    points = np.concatenate([ours, usual])
    shares = (np.searchsorted(np.sort(values), points, side="right") / len(values) for values in (ours, usual))
    first, second = shares
    return float(np.abs(first - second).max())
