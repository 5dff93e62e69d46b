"""The gate by segment: where the challenger is better or worse than the champion beyond chance.

It tells and does not decide: a segment has too few images to rule a loss out, and the gate's own rules hold the whole. The p-values of all segments
of all segmentations are corrected together (Holm, 1979), so the chance of any false finding is at most 1 less the gate's confidence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from driftwatch.artifacts.gate_segments import SegmentComparison, SegmentGateFinding
from driftwatch.config.segments import PREDICTED_CLASS
from driftwatch.models.metrics import holm
from driftwatch.models.paired import compare
from driftwatch.models.segment_choice import segments_of

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore


def gate_segments(store: MonitorStore, table: pd.DataFrame) -> tuple[SegmentComparison, ...]:
    """Each segment of the evaluation images, the worst first; none where the monitor has no segments. `table`: image_id, day, label, champion
    and challenger of the images that both answered."""
    config = store.config
    if not config.segments or not len(table):
        return ()
    table = table.reset_index(drop=True)
    segments = segments_of(store, table).assign(**{PREDICTED_CLASS: table["champion"]})
    error = 1 - config.retraining.gate_confidence
    return compared_by_segment(table, segments, config.performance.segments.min_labels, error)


def compared_by_segment(
    table: pd.DataFrame, segments: pd.DataFrame, least: int, error: float
) -> tuple[SegmentComparison, ...]:
    """`segments`: a column for each segmentation, in the order of `table`'s rows. `least`: with fewer images a segment is not tested; `error`: the
    chance of any false finding."""
    found, p_values = [], []
    for by in segments.columns:
        for name, rows in table.groupby(segments[by].to_numpy(object), dropna=True):
            pair = compare(rows["label"], rows["champion"], rows["challenger"])
            assert pair.difference is not None
            assert pair.low is not None
            assert pair.high is not None
            fields = {"difference": pair.difference, "low": pair.low, "high": pair.high}
            found.append(
                SegmentComparison(
                    by=by,
                    name=str(name),
                    n=pair.n,
                    won=pair.won,
                    lost=pair.lost,
                    finding="not_enough_evidence",
                    **fields,
                )
            )
            apart = pair.won + pair.lost
            tested = float(binomtest(pair.won, apart).pvalue) if apart else 1.0
            p_values.append(tested if pair.n >= least else np.nan)
    judged = [_judged(each, p, error) for each, p in zip(found, holm(np.array(p_values)), strict=True)]
    return tuple(sorted(judged, key=lambda each: (each.finding != "worse", each.difference, each.by, each.name)))


def _judged(found: SegmentComparison, p_value: float, error: float) -> SegmentComparison:
    if np.isnan(p_value):
        return found
    finding: SegmentGateFinding = "not_told_apart"
    if p_value <= error:
        finding = "worse" if found.lost > found.won else "better"
    return found.model_copy(update={"p_value": float(p_value), "finding": finding})
