"""Tests whether the shares of the predicted classes moved in a segment, for hundreds of segments at once.

Each class by itself: how many of the segment's images have it, of those that it and its usual images have together (hypergeometric,
mid-p: Lancaster, 1961). The smallest chance counts, multiplied by the number of classes. With two classes this is Fisher's exact test. Drawn tables,
as for a whole day, would not reach the chances that matter with hundreds of segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from driftwatch.artifacts.segments import SegmentFeature
from driftwatch.drift.class_mix import PREDICTION
from driftwatch.drift.reference import MIN_REFERENCE
from driftwatch.drift.segment_days import Segment, first_of_bursts
from driftwatch.drift.segment_tests import LEAST
from driftwatch.drift.segments import Judged, Untested

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig


@dataclass(frozen=True)
class SharesTested:
    """`of_classes`: the p-value of each class, adjusted for all of them, [classes]; `moved`: by how much its share did."""

    of_classes: np.ndarray
    moved: np.ndarray

    @property
    def p_value(self) -> float:
        return float(self.of_classes.min(initial=1.0))


def compare_counts(ours: np.ndarray, usual: np.ndarray) -> SharesTested:
    """Counts by class of a segment's images and of its usual ones."""
    total, n = int(ours.sum() + usual.sum()), int(ours.sum())
    of_class = ours + usual
    same = hypergeom.pmf(ours, total, of_class, n) / 2
    more, fewer = (side(ours, total, of_class, n) for side in (hypergeom.sf, hypergeom.cdf))
    two_sided = 2 * np.minimum(more + same, fewer - same)
    seen = of_class > 0
    tests = 1 if seen.sum() == 2 else max(int(seen.sum()), 1)  # of two classes the one tells the other
    p_values = np.where(seen, np.clip(two_sided * tests, LEAST, 1.0), 1.0)
    return SharesTested(p_values, ours / max(n, 1) - usual / max(int(usual.sum()), 1))


def judge_shares(
    table: pd.DataFrame,
    rows: Mapping[Segment, np.ndarray],
    usual: Mapping[Segment, Sequence[pd.DataFrame]],
    config: MonitorConfig,
) -> dict[Segment, tuple[int, Judged | Untested]]:
    """Each segment's number of images and its test. `table`: the day's images, with `prediction` and `phash`; `rows`: those of each
    segment; `usual`: the samples that it is compared with."""
    found: dict[Segment, tuple[int, Judged | Untested]] = {}
    for segment, kept in first_of_bursts(table, rows).items():
        ours = _counts(table[PREDICTION].iloc[kept], config.classes)
        samples = [_counts(of[PREDICTION], config.classes) for of in usual.get(segment, ())]
        tests = [(compare_counts(ours, of), int(of.sum())) for of in samples if of.sum() >= MIN_REFERENCE]
        images, effective_n = len(rows[segment]), len(kept)
        if tests and effective_n >= config.profiling.segments.min_images:
            test, known = max(tests, key=lambda one: one[0].p_value)
            found[segment] = images, _judged(test, effective_n, known, config.classes)
        else:
            found[segment] = images, Untested(effective_n, int(max((of.sum() for of in samples), default=0)))
    return found


def _counts(predictions: pd.Series, classes: Sequence[str]) -> np.ndarray:
    codes = pd.Categorical(predictions, categories=list(classes)).codes
    return np.bincount(codes[codes >= 0], minlength=len(classes))


def _judged(test: SharesTested, effective_n: int, usual_images: int, classes: Sequence[str]) -> Judged:
    def describe(moved: np.ndarray, times: float) -> tuple[tuple[SegmentFeature, ...], tuple[str, ...]]:
        rows = tuple(
            SegmentFeature(
                feature=classes[place],
                test="share",
                effect=round(abs(float(test.moved[place])), 6),
                direction="up" if test.moved[place] > 0 else "down",
                p_value=min(1.0, float(test.of_classes[place] * times)),
            )
            for place in moved
        )
        return rows, ()

    effects = np.full(len(classes), np.abs(test.moved).sum() / 2)  # what alarms is the change of all shares together
    return Judged(test.p_value, effective_n, usual_images, test.of_classes, effects, describe)
