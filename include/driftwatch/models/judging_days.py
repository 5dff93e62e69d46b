"""Which days judge a challenger: those on which the model is bad, and those on which all is as usual."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.store import MonitorStore
from driftwatch.images.inputs import has_inputs
from driftwatch.models.human_labels import HUMAN

# A change has ended when so many days in a row are ok.
USUAL_DAYS = 3
OK, ALERT, DRIFTED = "ok", "alert", "drifted"


class Verdicts(NamedTuple):
    """What was found of a day; None where it was not judged."""

    performance: str | None
    drift: str | None


def verdicts_of(store: MonitorStore, day: date) -> Verdicts:
    performance, drift = store.day(day).find(Performance), store.day(day).find(DayDrift)
    return Verdicts(performance.verdict if performance else None, drift.verdict if drift else None)


def bad_and_good_days(store: MonitorStore, table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The days whose human labels a collected set has, as two lists: on the bad days a challenger must be better, on the good days it must
    not be worse.

    Bad days have a performance alert. Good days are ok in features and performance. Without any alert, all days are bad and none good.
    """
    days = sorted(set(table.loc[table["source"] == HUMAN, "day"]))
    alerts, usual = _told_apart(store, days)
    return (alerts, usual) if alerts else (days, [])


def days_told_apart(store: MonitorStore, judged: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The same for rows that only judge. Without an alert, none of their days is bad, but those on which the images go on being unlike usual
    ones: a waiting challenger is judged on each day of the change, and not only on those on which the champion did badly."""
    days = sorted(set(judged["day"]))
    alerts, usual = _told_apart(store, days)
    drifted = [name for name in days if verdicts_of(store, date.fromisoformat(name)).drift == DRIFTED]
    return sorted({*alerts, *drifted}), usual


def _told_apart(store: MonitorStore, days: Iterable[str]) -> tuple[list[str], list[str]]:
    found = {name: verdicts_of(store, date.fromisoformat(name)) for name in days}
    alerts = [name for name, verdicts in found.items() if verdicts.performance == ALERT]
    return alerts, [name for name, verdicts in found.items() if verdicts == (OK, OK)]


def earlier_days(store: MonitorStore, first_day: date, last_day: date) -> list[date]:
    """The days before `first_day` whose evaluation images judge a challenger too, in order.

    These are the days with an alert since the change that goes on at `last_day`: USUAL_DAYS days in a row that are ok end a change. And
    the days on which all is ok. They go back `retraining.evaluation_days_back` days before `first_day`. A day whose images are gone is not
    among them.
    """
    oldest = first_day - timedelta(days=store.config.retraining.evaluation_days_back)
    found, in_a_row, goes_on = [], 0, True
    for day in reversed([day for day in store.days() if oldest <= day <= last_day]):
        verdicts = verdicts_of(store, day)
        if verdicts.performance == OK:
            in_a_row += 1
        elif verdicts.performance == ALERT:
            in_a_row = 0
        goes_on = goes_on and in_a_row < USUAL_DAYS
        of_the_change = goes_on and verdicts.performance == ALERT
        if day < first_day and (of_the_change or verdicts == (OK, OK)) and has_images(store, day):
            found.append(day)
    return sorted(found)


def has_images(store: MonitorStore, day: date) -> bool:
    return has_inputs(store.day(day)) and store.storage.exists(store.keys.day(day).features)
