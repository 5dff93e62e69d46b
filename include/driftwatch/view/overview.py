"""The overview's row of a monitor, and its calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from markupsafe import Markup

from driftwatch.view import tones
from driftwatch.view.days import Day
from driftwatch.view.episodes import ShownEpisode, newest
from driftwatch.view.shares import accuracy_text
from driftwatch.view.sparkline import sparkline
from driftwatch.view.spend import Spend, spend_of_month
from driftwatch.view.tones import Verdict
from driftwatch.view.versions import lines
from driftwatch.view.words import count, listing, spans_of
from driftwatch.watch.late import gaps

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.view.what_now import WhatNow

WEEKS = 53
SPARK_DAYS, STRIP_DAYS = 30, 14
# More monitors than FEW have no calendars on the overview, and no more than LATELY days of each are read: a year of fifty has a hundred
# thousand files. The longest that is looked back on is the month of the spend.
FEW, LATELY = 6, 45


@dataclass(frozen=True)
class Calendar:
    """Weeks as columns, Monday first, up to WEEKS of them and ending with the newest day.

    `rows`: seven lists of Day, or a date without one, or None outside of the range; `months`: the month's name above the week in
    which it begins; `gaps`: the days that were never handled, in order.
    """

    rows: list[list[Day | date | None]]
    months: list[str]
    gaps: tuple[date, ...] = ()

    @property
    def gaps_said(self) -> str:
        """How many days were never handled, and which; empty where there are none."""
        if not self.gaps:
            return ""
        spans = spans_of(self.gaps)
        return f"{count(len(self.gaps), 'day')} never handled: {listing(spans[::-1])}"


@dataclass(frozen=True)
class Measured:
    """The newest day whose labels are in. `versions`: a line for each, where several answered."""

    day: date
    accuracy: str
    verdict: Verdict
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Overview:
    """A monitor in a row. `last`: the newest day; `drift`: its verdicts as badges; `champion`: the version that production serves, and
    `problem`, why it cannot be read; `spend`: the month's, on labels; `episodes`: the changes that are open; `now`: the card "What now";
    `sparkline`: the accuracy of the last days, drawn; `lately`: the last days."""

    config: MonitorConfig
    last: Day | None
    drift: list[Verdict]
    measured: Measured | None
    champion: str | None
    problem: str | None
    spend: Spend | None
    calendar: Calendar
    episodes: list[ShownEpisode] = field(default_factory=list)
    now: WhatNow | None = None
    sparkline: Markup = field(default_factory=Markup)
    lately: list[Day] = field(default_factory=list)

    @property
    def tone(self) -> str:
        """What the row is about: the worst of what is known, and bad if the champion cannot be read."""
        return tones.BAD if self.problem else self.now.tone if self.now else tones.WAITING


def worst_first(rows: Sequence[Overview]) -> list[Overview]:
    """The rows, those first about which something must be done; alike ones by name."""
    return sorted(rows, key=lambda row: (tones.ORDER.index(row.tone), row.config.name))


def overview(
    days: Sequence[Day],
    config: MonitorConfig,
    champion: str | None,
    problem: str | None = None,
    now: WhatNow | None = None,
    at: datetime | None = None,
) -> Overview:
    """The newest day's numbers, the month's spend on labels, and the calendar. `now`: the monitor's card. `at`: as in `calendar`."""
    last = days[-1] if days else None
    return Overview(
        config=config,
        last=last,
        drift=drift_badges(last) if last else [],
        measured=next((found for row in reversed(days) if (found := _measured(row))), None),
        champion=champion,
        problem=problem,
        spend=spend_of_month(days, config),
        calendar=calendar(days, config, at),
        episodes=newest([row.episodes for row in days if row.episodes]),
        now=now,
        sparkline=sparkline(days[-SPARK_DAYS:], config.performance.floor) if config.labels.labelled else Markup(""),
        lately=list(days[-STRIP_DAYS:]),
    )


def drift_badges(day: Day) -> list[Verdict]:
    """What drifted on a day, image quality first; empty before it was tested."""
    if day.drift is None:
        return []
    quality = tones.of_drift(day.drift.verdict)
    if day.drift.verdict == "drifted":
        moved, all_of_them = len(day.drift.drifted_features), len(day.drift.features)
        of_whole = f"{moved} of {all_of_them} {tones.of_feature(moved=True, tested=True).word}"
        segments = day.drift.segments_that("drifted")
        quality = Verdict(quality.tone, f"{count(len(segments), 'segment')} changed" if segments else of_whole)
    changed = tones.of_drift("drifted")
    return [quality, *(Verdict(changed.tone, f"{kind} {changed.word}") for kind in day.other_drift)]


def _measured(row: Day) -> Measured | None:
    found = row.performance
    if found is None:
        return None
    return Measured(
        row.day, accuracy_text(found.accuracy), tones.of_model(found.verdict, row.standing), tuple(lines(found))
    )


def calendar(days: Sequence[Day], config: MonitorConfig | None = None, at: datetime | None = None) -> Calendar:
    """The days as a calendar; empty before the first. With the moment `at` at which it is shown, it goes on to the last day that should
    have begun by then."""
    if not days:
        return Calendar([], [])
    known = {row.day: row for row in days}
    missing = gaps(config, [*known], at, WEEKS * 7) if config and at else []
    last = max([days[-1].day, *missing[-1:]])
    monday = last - timedelta(days=last.weekday())
    first = max(days[0].day, monday - timedelta(weeks=WEEKS - 1))
    start = first - timedelta(days=first.weekday())
    weeks = (monday - start).days // 7 + 1
    rows: list[list[Day | date | None]] = []
    for weekday in range(7):
        row: list[Day | date | None] = []
        for week in range(weeks):
            day = start + timedelta(weeks=week, days=weekday)
            row.append(known.get(day, day) if first <= day <= last else None)
        rows.append(row)
    months = []
    for week in range(weeks):
        monday_of = start + timedelta(weeks=week)
        begins = week == 0 or any((monday_of + timedelta(days=n)).day == 1 for n in range(7))
        months.append(f"{monday_of + timedelta(days=6):%b}" if begins else "")
    if weeks > 1 and months[1]:  # no room for both names
        months[0] = ""
    return Calendar(rows, months, tuple(day for day in missing if day >= first))
