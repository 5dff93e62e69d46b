"""The gate's two models by segment: a part of gate.json."""

from __future__ import annotations

from typing import Literal

from driftwatch.artifacts.base import Part
from driftwatch.artifacts.parts import Number

SegmentGateFinding = Literal["worse", "better", "not_told_apart", "not_enough_evidence"]


class SegmentComparison(Part):
    """Champion and challenger on the evaluation images of one segment, recent and clean days together."""

    by: str
    """The segmentation, such as camera; predicted_class is by the champion's answers."""
    name: str
    """The segment."""
    n: int
    """Images that both answered."""
    won: int
    """Only the challenger is right."""
    lost: int
    """Only the champion is right."""
    difference: Number
    """Accuracy of the challenger minus that of the champion."""
    low: Number
    """Its lower bound, one-sided at 95 %."""
    high: Number
    """Its upper bound, one-sided at 95 %."""
    p_value: Number | None = None
    """Two-sided exact McNemar test, corrected for all segments; null with too few images to ask."""
    finding: SegmentGateFinding
    """worse or better beyond chance, at one error rate for all segments together."""
