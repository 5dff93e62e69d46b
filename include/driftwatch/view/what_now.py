"""What now: what is wrong and since when, what the system has done already, and the next step.

The overview, the monitor's page, the day's page, the report and the command line show this one value. The alerts take their advice from the
same sentences (driftwatch.view.advice).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from driftwatch.view import tones
from driftwatch.view.days import Day, whole
from driftwatch.view.episodes import ShownEpisode, newest, shown
from driftwatch.view.models import champion_or_problem, retrainings
from driftwatch.view.next_steps import Situation, Step, next_steps, tone
from driftwatch.view.retrained import Outcome, of_alert
from driftwatch.view.segments import first_line
from driftwatch.view.what_happened import Done, done_lines, retraining_lines, where_lines
from driftwatch.view.words import capital, headline

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.view.artifacts import Artifacts

LOOKED_BACK = 14  # days for which a promotion is still worth a line


@dataclass(frozen=True)
class WhatNow:
    """The card. `day`: the newest day that it is about; `said`: the state in one sentence; `since`: the open changes; `where`: segments, classes and numbers that matter; `done`: what
    the system did; `advice`: what to do, in sentences; `steps`: how, the first one first."""

    day: date
    tone: str
    said: str
    since: tuple[ShownEpisode, ...]
    where: tuple[str, ...]
    done: tuple[Done, ...]
    advice: str
    steps: tuple[Step, ...]

    @property
    def calm(self) -> bool:
        """Whether nothing has to be done."""
        return not self.steps and self.tone == tones.GOOD

    @property
    def short(self) -> str:
        """In the overview's row: what the alert led to or what is waited for, else the first sentence of what to do."""
        return self.done[0].text if self.done else f"{self.advice.partition('. ')[0].rstrip('.')}."


def status(day: Day) -> str:
    """The day in one sentence: the headline of its page, its report and its card."""
    failed = f"The day failed at {day.failure.task}." if day.failure else ""
    if day.ingest is None:
        return failed or "The day was not taken in yet."
    segments = first_line(day.drift) if day.drift else ""
    said = headline(day.ingest, day.drift, day.performance, day.content_drift, day.labelled, segments)
    standing = day.standing.said if day.standing else ""
    return " ".join(filter(None, [failed, said, standing]))


def of_day(day: Day, outcome: Outcome | None, config: MonitorConfig, before: str | None = None) -> WhatNow:
    """The card of a day, with its artifacts whole. `outcome`: what its alert led to; `before`: see `Situation`."""
    now = Situation(config, day, day if day.performance else None, outcome, before)
    return _card(now, shown(day.episodes))


@dataclass(frozen=True)
class Known:
    """What the card of a monitor needs of the storage: its newest day and the newest with labels, both whole; what that one's alert led to; the
    champion to go back to; and, where no alert is being answered, what the newest retraining came to."""

    last: Day
    measured: Day | None
    outcome: Outcome | None
    before: str | None
    lately: Outcome | None


def look(days: Sequence[Day], artifacts: Artifacts) -> Known | None:
    """Reads it; None before the first day."""
    if not days:
        return None
    last, judged = whole(artifacts, days[-1]), next((row for row in reversed(days) if row.performance), None)
    measured = last if judged is days[-1] else whole(artifacts, judged) if judged else None
    outcome = of_alert(artifacts, measured.day) if measured else None
    before = way_back(artifacts, measured.day if measured else last.day)
    return Known(last, measured, outcome, before, None if outcome else _newest_retraining(artifacts, last.day))


def with_whole(days: Sequence[Day], known: Known | None) -> list[Day]:
    """The days, those of `known` whole."""
    whole_days = {row.day: row for row in (known.measured, known.last) if row} if known else {}
    return [whole_days.get(row.day, row) for row in days]


def of_known(days: Sequence[Day], known: Known | None, config: MonitorConfig) -> WhatNow | None:
    """The card of a monitor. `days`: as they are now; Airflow may know of failures that the storage does not."""
    if not days:
        return None
    last = days[-1]
    if known is None:
        return of_day(last, None, config)
    if known.last.day == last.day:
        last = replace(known.last, failure=last.failure)
    measured = last if known.measured is known.last else known.measured
    now = Situation(config, last, measured if measured and measured.performance else None, known.outcome, known.before)
    card = _card(now, newest([row.episodes for row in days if row.episodes]))
    return replace(card, done=(*card.done, *retraining_lines(known.lately)))


def of_monitor(days: Sequence[Day], artifacts: Artifacts) -> WhatNow | None:
    """The card of a monitor: its newest day, and the newest whose labels are in. None before the first day."""
    return of_known(days, look(days, artifacts), artifacts.config)


def way_back(artifacts: Artifacts, day: date) -> str | None:
    """The champion before, if the one that serves was promoted in the last LOOKED_BACK days before `day`; else None: an older model is no
    remedy for what is new. None also after a way back: the champion before was left for a reason."""
    pointer, _ = champion_or_problem(artifacts)
    if pointer is None or pointer.previous is None or pointer.champions.count(pointer.version) > 1:
        return None
    made = [date.fromisoformat(row.day) for row in retrainings(artifacts) if row.version == pointer.version]
    return pointer.previous if any(0 <= (day - other).days <= LOOKED_BACK for other in made) else None


def _newest_retraining(artifacts: Artifacts, day: date) -> Outcome | None:
    """What the newest alert of the last LOOKED_BACK days led to."""
    known = [row for row in retrainings(artifacts) if row.day <= day.isoformat()]
    if not known:
        return None
    alert = date.fromisoformat(known[-1].day)
    return of_alert(artifacts, alert) if (day - alert).days <= LOOKED_BACK else None


def _card(now: Situation, since: Sequence[ShownEpisode]) -> WhatNow:
    said, steps = next_steps(now)
    return WhatNow(
        day=now.day.day,
        tone=tone(now),
        said=status(now.day),
        since=tuple(since),
        where=tuple(where_lines(now)),
        done=done_lines(now),
        advice=capital(said),
        steps=steps,
    )
