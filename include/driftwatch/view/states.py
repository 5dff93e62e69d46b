"""The accepted states in words: which one a day is like, what may be changed, and what becomes of the days of a retraining."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from driftwatch.artifacts.drift import BASELINES, DAYS, TRAILING, TRAINING
from driftwatch.view.words import count, feature_name, listing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from driftwatch.artifacts.alerts import ModelPromoted
    from driftwatch.artifacts.drift import DayDrift, DriftTest

MUTED_DAYS = 28  # what the day's page offers


# What stands for the usual where nothing was accepted; every other state has the name that it was accepted by.
_BASELINES = {
    TRAINING: "the training data",
    TRAILING: "the last usual days",
    DAYS: "the days that the monitor file names",
}


def state_name(name: str) -> str:
    """`the training data`, or `the state 2026-01-08`."""
    return _BASELINES.get(name, f"the state {name}")


def usual(drift: DayDrift) -> str:
    """What a day was compared with: the data of the model, or the days of the baseline, and what was accepted beside it."""
    names = [row.name for row in drift.states] or [TRAINING]
    known = [
        f"the data of model {drift.reference_version}" if name == TRAINING else _BASELINES[name]
        for name in names
        if name in BASELINES
    ]
    accepted = [name for name in names if name not in BASELINES]
    return " and ".join([*known, *([f"the accepted {listing(accepted, 3)}"] if accepted else [])])


def against(found: DriftTest) -> str:
    """Which of several states the day is like, or that it is like none. Empty where the training data is the only state."""
    if not found.states or found.nearest is None:
        return ""
    if found.state is not None:
        return f", like {state_name(found.state)}"
    of = f"nearest of {count(len(found.states), 'state')}:" if len(found.states) > 1 else "against"
    return f", {of} {state_name(found.nearest)}"


def as_range(days: Sequence[date]) -> str:
    """The days as `--days` takes them: `2026-01-08..2026-01-10`, or with commas where days between are missing."""
    first, last = min(days), max(days)
    if first == last:
        return first.isoformat()
    whole = (last - first).days + 1 == len(set(days))
    return f"{first}..{last}" if whole else ",".join(day.isoformat() for day in sorted(days))


def after_promotion(alert: ModelPromoted) -> str:
    """What becomes, or may become, of the days that the new champion was retrained for."""
    if alert.accepted is not None:
        return (
            f"nothing: days from now on are judged by it. {_days(alert.retrained_days)} are usual from now on, as the state {alert.accepted} "
            f"(reference.accept_after_promotion is auto). If the change is no lasting one, withdraw it on a day's page, or by `driftwatch "
            f"reference withdraw MONITOR.yaml {alert.accepted} --reason ...`."
        )
    if alert.retrained_days:
        return (
            f"say whether the change of {_days(alert.retrained_days)} is there to stay. If it is, accept these days as usual, on the day's page "
            f"or by `driftwatch reference accept MONITOR.yaml --days {as_range(alert.retrained_days)} --reason ...`; else days like them go on "
            "alarming. Days from now on are judged by the new model."
        )
    return "nothing: days from now on are judged by it. The models page has the whole comparison, and the way back to the model before."


def _days(days: Sequence[date]) -> str:
    return listing([day.isoformat() for day in days], 6)


@dataclass(frozen=True)
class UsualButton:
    """A button of the day's page that changes what is usual. `conf`: the form of the DAG `<monitor>_reference`, filled in but for the reason."""

    text: str
    conf: dict[str, str]


def usual_buttons(drift: DayDrift) -> list[UsualButton]:
    """Accept the day, withdraw the state that it is like, mute what moved most: what may be asked for after a look at the day."""
    found = [UsualButton(f"Accept days like {drift.day} as usual", {"action": "accept", "days": drift.day.isoformat()})]
    if drift.state is not None and drift.state not in BASELINES:
        found.append(UsualButton(f"Withdraw the state {drift.state}", {"action": "withdraw", "state": drift.state}))
    for column in drift.drifted_features[:1]:
        until = (drift.day + timedelta(days=MUTED_DAYS)).isoformat()
        conf = {"action": "mute", "name": column, "since": drift.day.isoformat(), "until": until}
        found.append(UsualButton(f"Mute {feature_name(column)} until {until}", conf))
    found += [
        UsualButton(
            f"Let {feature_name(mute.name)} alarm again",
            {"action": "unmute", "name": mute.name, "since": drift.day.isoformat()},
        )
        for mute in drift.mutes
    ]
    return found
