"""The gate for people: both models on the same images, before and after, with the level of each bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.models.metrics import in_order
from driftwatch.view import tones
from driftwatch.view.confusions import ConfusionTable, confusions
from driftwatch.view.gate_segments import GateSegmentRow, gate_segment_rows, worse_segments_line
from driftwatch.view.numbers import percent
from driftwatch.view.shares import ShownShare, p_digits, shown

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Metrics
    from driftwatch.artifacts.parts import Share
    from driftwatch.artifacts.retraining import GatePart, GateResult

RECENT, CLEAN = "Recent days", "Clean images"


@dataclass(frozen=True)
class GateRow:
    """One part of the gate's table: champion and challenger on the same images. `difference`: in points, with the bound that the gate looks at and
    its level."""

    part: str
    n: int
    champion: ShownShare
    challenger: ShownShare
    won: int
    lost: int
    difference: ShownShare
    p: str


@dataclass(frozen=True)
class RecallRow:
    """One class. `change`: of the two recalls, in points; empty where one is undefined. `worse`: whether the challenger's is the lower one."""

    name: str
    n: int
    champion: ShownShare
    challenger: ShownShare
    change: str
    worse: bool


@dataclass(frozen=True)
class GateSide:
    """One part, before and after. `days`: those its images are of; `original`: whether the original holdout is among them; `recalls`: of the classes that
    have an image; `without`: how many have none."""

    part: str
    about: str
    days: tuple[str, ...]
    original: bool
    before: ConfusionTable
    after: ConfusionTable
    recalls: list[RecallRow]
    without: int


@dataclass(frozen=True)
class Gate:
    """What the gate found. `verdict`: in a word; `against`: the champion then; `reasons`: in sentences; `segments`: both models by segment; `sides`: both
    models by class; `levels`: what each interval and bound means."""

    verdict: tones.Verdict
    against: str
    reasons: tuple[str, ...]
    rows: tuple[GateRow, ...]
    segments: list[GateSegmentRow]
    sides: tuple[GateSide, ...]
    levels: str


def gate(found: GateResult) -> Gate:
    """The gate's decision, reasons and tables."""
    recent, clean = _levels(found)
    worse = worse_segments_line(found.segments)
    return Gate(
        verdict=tones.of_gate(found.decision),
        against=found.champion,
        reasons=(*found.reasons, *([worse] if worse else [])),
        rows=(_row(RECENT, found.recent, recent), _row(CLEAN, found.clean, clean)),
        segments=gate_segment_rows(found.segments),
        sides=(
            _side(RECENT, "where it must be better", found.recent_days, False, found.recent),
            _side(CLEAN, "where it must not be worse", found.clean_days, True, found.clean),
        ),
        levels=levels(found),
    )


def _levels(found: GateResult) -> tuple[str, str]:
    """The level of the one-sided bound of each part. All looks at a waiting challenger share the error rate of each."""
    if found.rules is None:
        return "", ""
    whole, look = found.rules.gate_confidence, found.looks[-1] if found.looks else None
    recent, clean = (look.confidence, look.clean_confidence or whole) if look else (whole, whole)
    return percent(recent), percent(clean)


def levels(found: GateResult) -> str:
    """What each interval and each bound of the gate's tables means, with its level."""
    recent, clean = _levels(found)
    bounds = "one-sided bounds"
    if clean:
        bounds += f" at {clean}" if recent == clean else f" at {recent} on recent days and {clean} on clean images"
    return (
        f"Behind an accuracy or a recall stands its 95 % interval, two-sided. “At least” and p are what the gate decides by: {bounds}, for the two "
        "models on the same images. Won are images that only the challenger has right, lost those that only the champion has."
    )


def _row(title: str, part: GatePart, level: str) -> GateRow:
    seen, difference = part.deciding, ShownShare("–", "")
    if seen.difference is not None and seen.low is not None:
        at = f" (one-sided, {level})" if level else " (one-sided)"
        difference = ShownShare(f"{100 * seen.difference:+.1f} points", f"at least {100 * seen.low:+.1f}{at}")
    return GateRow(
        part=title,
        n=part.n,
        champion=shown(part.champion.accuracy),
        challenger=shown(part.challenger.accuracy),
        won=part.won,
        lost=part.lost,
        difference=difference,
        p=p_digits(seen.p_value),
    )


def _side(part: str, about: str, days: Sequence[object], original: bool, found: GatePart) -> GateSide:
    recalls = _recalls(found.champion, found.challenger)
    return GateSide(
        part=part,
        about=about,
        days=tuple(map(str, days)),
        original=original,
        before=confusions(found.champion.confusion_matrix),
        after=confusions(found.challenger.confusion_matrix),
        recalls=recalls,
        without=len(found.champion.classes) - len(recalls),
    )


def _recalls(champion: Metrics, challenger: Metrics) -> list[RecallRow]:
    """The classes in the monitor file's order."""
    names = in_order(champion.classes, champion.confusion_matrix.labels)
    return [
        _recall(name, champion.classes[name].recall, challenger.classes[name].recall)
        for name in names
        if name in challenger.classes and champion.classes[name].support
    ]


def _recall(name: str, before: Share, after: Share) -> RecallRow:
    change = None if before.value is None or after.value is None else after.value - before.value
    return RecallRow(
        name=name,
        n=before.n,
        champion=shown(before),
        challenger=shown(after),
        change="" if change is None else f"{100 * change:+.1f} points",
        worse=change is not None and change < 0,
    )
