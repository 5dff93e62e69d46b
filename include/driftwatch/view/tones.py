"""Verdicts for people. Each has a tone, which is a CSS class and a colour, and its words.

Each word stands here once. The report, the pages, the charts' JSON, the alerts and the command line take it from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from driftwatch.view.standing import Standing

BAD, WARN, UNSURE, GOOD, WAITING = "bad", "warn", "unsure", "good", "waiting"
# A day's mark in the calendar. Colour alone must not carry a meaning.
SYMBOLS = {BAD: "✕", WARN: "~", UNSURE: "?", GOOD: "·", WAITING: "…"}
ORDER = (BAD, WARN, UNSURE, WAITING, GOOD)  # the worst first
NOT_ENOUGH = "not enough evidence"
HANDED_OVER = "set handed over to the team"


@dataclass(frozen=True)
class Verdict:
    """`tone`: one of the five above. `word`: on a badge, behind the name of what was judged."""

    tone: str
    word: str


_UNSURE = Verdict(UNSURE, NOT_ENOUGH)
_UNKNOWN = Verdict(WAITING, "not known yet")
# The verdicts on the images, on what they show, on the predictions, and on the trend.
_DRIFT = {"drifted": Verdict(WARN, "changed"), "ok": Verdict(GOOD, "as usual"), "not_enough_evidence": _UNSURE}
_MODEL = {"alert": Verdict(BAD, "worse"), "ok": Verdict(GOOD, "holds"), "not_enough_evidence": _UNSURE}
# A model that holds, and yet is not plainly well: see driftwatch.view.standing.
NEAR_FLOOR, LOWER = Verdict(WARN, "holds, near the floor"), Verdict(WARN, "holds, lower than usual")
_VERSION = {
    "better": Verdict(GOOD, "better"),
    "worse": Verdict(WARN, "worse"),
    "not_told_apart": Verdict(WAITING, "no difference shown"),
    "not_enough_evidence": _UNSURE,
}
_GATE = {"promote": Verdict(GOOD, "passed"), "keep": Verdict(WARN, "not passed"), "not_enough_evidence": _UNSURE}


def of_drift(verdict: str | None) -> Verdict:
    """The verdict on one kind of drift. `verdict` is None if its step has not run."""
    return _DRIFT[verdict] if verdict else _UNKNOWN


def of_model(verdict: str | None, standing: Standing | None = None) -> Verdict:
    """The verdict on the model's accuracy. `verdict` is None if its step has not run. `standing`: how the accuracy stands against the floor and
    the days before, where that is known."""
    if verdict == "ok" and standing is not None and not standing.plain:
        return NEAR_FLOOR if standing.near_floor else LOWER
    return _MODEL[verdict] if verdict else _UNKNOWN


def of_version(finding: str | None) -> Verdict:
    """How a version compares with the serving one. `finding` is None if its step has not run."""
    return _VERSION[finding] if finding else _UNKNOWN


def of_gate(decision: str) -> Verdict:
    """The gate's decision on a challenger."""
    return _GATE[decision]


def of_feature(moved: bool, tested: bool, silenced: str | None = None) -> Verdict:
    """The verdict on one feature of the images. `silenced`: why a difference does not alarm, small or muted."""
    if silenced:
        return Verdict(WAITING, {"small": "detected, small", "muted": "muted"}[silenced])
    if moved:
        return Verdict(WARN, "moved")
    return Verdict(GOOD, "as usual") if tested else Verdict(WAITING, "not tested")


def gate_text(decision: str) -> str:
    """`gate passed`, in one line with the challenger's version."""
    return f"gate: {NOT_ENOUGH}" if decision == "not_enough_evidence" else f"gate {_GATE[decision].word}"


def of_chart(verdict: str) -> str:
    """The tone of a mark in a chart, of images or of the model."""
    return (_MODEL.get(verdict) or _DRIFT[verdict]).tone


def name(verdict: str | None) -> str:
    """The verdict's own name, `alert` or `not enough evidence`, in charts and tables whose key explains it; `–` for none."""
    return "–" if verdict is None else verdict.replace("_", " ")


def worst(tones: Iterable[str]) -> str:
    """The worst of the tones; good only where all are."""
    found = set(tones)
    return next((tone for tone in ORDER if tone in found), GOOD)
