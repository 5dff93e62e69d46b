"""Why the model got its verdict, in words: the `reasons` of performance.json."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.view.numbers import interval, p_text, percent
from driftwatch.view.words import capital, count

if TYPE_CHECKING:
    from driftwatch.accuracy.policy import Persistence, Verdict
    from driftwatch.artifacts.parts import JudgedAccuracy
    from driftwatch.artifacts.rules import LastingRule


def reasons(found: Verdict) -> list[str]:
    """A sentence for each rule that fires, and why that is not yet an alert. If none fires, one sentence says what the accuracy shows."""
    accuracy = found.accuracy
    if found.too_few:
        return [_too_few(accuracy, found.min_labels)]
    if accuracy.numbers is None and accuracy.value is not None:
        return [
            f"{percent(accuracy.value)} of the labelled images are answered right {_on(accuracy)}. That says nothing of the other images: "
            f"{accuracy.reason}."
        ]
    if accuracy.numbers is None:
        return [f"{capital(accuracy.reason or 'the accuracy is undefined')}."]
    value, low, high = accuracy.numbers
    measured = f"Accuracy {percent(value)} {interval(accuracy)} {_on(accuracy)}"
    said = _of_rules(found, measured, value, high)
    if found.verdict == "alert":
        return said
    if found.persistence is not None:
        return [*said, _not_yet(found.persistence)]
    floor = _floor(found)
    if found.verdict == "not_enough_evidence" and floor is not None:
        return [f"{measured}: below the floor of {percent(floor)}, {_not_proven(found)}"]
    reason = f"{measured}: no rule of the policy fires."
    if floor is not None and low < floor:
        reason += f" The interval reaches below the floor of {percent(floor)}: more labels would make it surer."
    return [reason]


def _floor(found: Verdict) -> float | None:
    """The floor that the policy asks for; None without one."""
    if found.rules.floor is not None:
        return found.rules.floor.floor
    return None if found.rules.below_floor is None else found.rules.below_floor.usual


def _not_proven(found: Verdict) -> str:
    if found.rules.floor is not None:
        return "but the interval reaches above it, so it is not proven: more labels (labels.sample_size) would tell."
    return "but the days together do not prove it: more days, or more labels (labels.sample_size), will tell."


def _of_rules(found: Verdict, measured: str, value: float, high: float) -> list[str]:
    """What each rule that fires says. `measured`: the accuracy, `value`, in words; `high`: the upper end of its interval."""
    floor, drop, trend = found.rules.floor, found.rules.drop, found.rules.trend
    said = _of_lasting_rules(found, measured, value)
    if floor is not None and floor.fires:
        said.append(f"{measured}: even the upper end, {percent(high)}, is below the floor of {percent(floor.floor)}.")
    if drop is not None and drop.fires:
        said.append(
            f"{measured}: lower than the model's {percent(drop.holdout_accuracy)} on {drop.holdout_n} held-out images "
            f"({p_text(drop.p_value)})."
        )
    if trend is not None and trend.fires and found.holdout.value is not None:
        said.append(
            f"The {trend.days} days of this model together show a decline from its {percent(found.holdout.value)} on held-out "
            f"images (at most {found.false_alarms:g} false alarms of this rule a year)."
        )
    return said


def _of_lasting_rules(found: Verdict, measured: str, value: float) -> list[str]:
    """What the rules that look at all days say, each where it fires."""
    below, worse = found.rules.below_floor, found.rules.worse
    said = []
    if below is not None and below.fires:
        said.append(_lasting(measured, value, below, "below the floor of {}", found.false_alerts))
    if worse is not None and worse.fires:
        said.append(
            _lasting(measured, value, worse, "lower than the {} of the holdout and the days before", found.false_alerts)
        )
    return said


def _lasting(measured: str, value: float, rule: LastingRule, lower: str, false_alerts: float) -> str:
    """`lower`: what the days together are. After low days a good one does not end the alert at once, and is not itself called low."""
    low = lower.format(percent(rule.usual))
    what = low if value < rule.usual else f"by itself not {low}; all days together are"
    days = f"{rule.days} days" if rule.days > 1 else "this day"
    return (
        f"{measured}: {what} since {rule.since}, with {percent(rule.accuracy)} on {days}. Looked at every day, this is false at most "
        f"{false_alerts:g} times a year."
    )


def _not_yet(found: Persistence) -> str:
    return (
        f"That is so on {found.fired} of the last {found.days} days with labels; an alert needs {found.needed} "
        "(performance.persistence)."
    )


def _too_few(accuracy: JudgedAccuracy, needed: int) -> str:
    together = f" on the {accuracy.days} days that may be judged together" if accuracy.days > 1 else ""
    return f"{count(accuracy.n, 'label')}{together}; a verdict needs {needed} (performance.min_labels)."


def _on(accuracy: JudgedAccuracy) -> str:
    said = f"on {count(accuracy.n, 'label')}" + (f" of {accuracy.days} days" if accuracy.days > 1 else "")
    return f"{said}, corrected for wrong labels" if accuracy.kind == "corrected" else said
