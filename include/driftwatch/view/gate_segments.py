"""The gate by segment, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftwatch.artifacts.gate_segments import SegmentComparison
from driftwatch.view import tones
from driftwatch.view.segment_names import segment_title
from driftwatch.view.shares import change_text, p_digits
from driftwatch.view.words import listing

MOST_NAMED, MOST_ROWS = 6, 50


@dataclass(frozen=True)
class GateSegmentRow:
    """One segment. `difference`: of the two accuracies, with its bounds."""

    by: str
    name: str
    n: int
    won: int
    lost: int
    difference: str
    p: str
    verdict: tones.Verdict


def gate_segment_rows(found: Sequence[SegmentComparison]) -> list[GateSegmentRow]:
    """The segments, the worst first; at most MOST_ROWS."""
    return [_row(each) for each in found[:MOST_ROWS]]


def _row(found: SegmentComparison) -> GateSegmentRow:
    return GateSegmentRow(
        by=found.by,
        name=found.name,
        n=found.n,
        won=found.won,
        lost=found.lost,
        difference=f"{change_text(found.difference)} ({change_text(found.low)} to {change_text(found.high)})",
        p=p_digits(found.p_value),
        verdict=tones.of_version(found.finding),
    )


def worse_segments_line(found: Sequence[SegmentComparison]) -> str:
    """`Worse beyond chance in camera door-3: -20.0% (2 won, 12 lost of 50).`; empty where the challenger is worse in none."""
    worse = [each for each in found if each.finding == "worse"]
    named = [
        f"{segment_title(each.by, each.name)}: {change_text(each.difference)} ({each.won} won, {each.lost} lost of {each.n})"
        for each in worse
    ]
    return f"Worse beyond chance in {listing(named, MOST_NAMED)}." if worse else ""
