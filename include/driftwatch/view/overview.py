"""The overview's row of a monitor, and its calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.labels.plan import counted
from driftwatch.view.days import Day

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig

WEEKS = 53


def overview(days: Sequence[Day], config: MonitorConfig, champion: str | None) -> dict[str, Any]:
    """The newest day's numbers, the month's spend on labels, and the calendar. `champion`: the version that production serves."""
    last = days[-1] if days else None
    return {
        "config": config,
        "last": last,
        "measured": next((row for row in reversed(days) if row.performance), None),
        "champion": champion,
        "spend": spend_of_month(days, config),
        "calendar": calendar(days),
        "days": len(days),
    }


@dataclass(frozen=True)
class Spend:
    """USD of the labels of a calendar month, fee included.

    `paid`: so far; `planned`: what the plans of its days came to; `counted`: what counts towards `limit`, which is what finished
    days have cost and what the others are planned to; `limit`: `annotation.max_cost_per_month`.
    """

    month: str
    paid: float
    planned: float
    counted: float
    limit: float


def spend_of_month(days: Sequence[Day], config: MonitorConfig) -> Spend | None:
    """What the labels of the newest day's month cost; None before the first day."""
    if not days:
        return None
    month = days[-1].day.strftime("%Y-%m")
    asked = [row for row in days if row.day.strftime("%Y-%m") == month]
    # One damaged plan must not take the page down.
    plans = [row.annotation for row in asked if row.annotation and (row.annotation.get("cost") or {}).get("total")]
    return Spend(
        month,
        paid=sum(_paid(row) for row in asked),
        planned=sum(plan["cost"]["total"] for plan in plans),
        counted=sum(counted(plan) for plan in plans if plan.get("state") != "closed" or _spent(plan) is not None),
        limit=config.annotation.max_cost_per_month,
    )


def _paid(row: Day) -> float:
    """By the plan once its pool has ended, till then by the last look at the pool."""
    spent = _spent(row.annotation or {})
    return float((row.progress or {}).get("spent", 0.0) if spent is None else spent)


def _spent(plan: Mapping[str, Any]) -> float | None:
    found: float | None = (plan.get("progress") or {}).get("spent")
    return found


def calendar(days: Sequence[Day]) -> dict[str, Any]:
    """Weeks as columns, Monday first, up to WEEKS of them and ending with the newest day: `rows` of seven lists of Day, or a
    date without one, or None outside of the range; `months` has the month's name above the week in which it begins."""
    if not days:
        return {"rows": [], "months": []}
    known = {row.day: row for row in days}
    last = days[-1].day
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
    return {"rows": rows, "months": months}
