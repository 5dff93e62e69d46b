"""The overview's row of a monitor, and its calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.dashboard.days import Day

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


def spend_of_month(days: Sequence[Day], config: MonitorConfig) -> dict[str, Any] | None:
    """USD that the labels of the newest day's month cost so far, fee included, as `annotation.max_cost_per_month` counts it."""
    if not days:
        return None
    month = days[-1].day.strftime("%Y-%m")
    costs = [
        ((row.annotation or {}).get("cost") or {}).get("total") or 0.0
        for row in days
        if row.day.strftime("%Y-%m") == month
    ]
    return {"month": month, "total": sum(costs), "limit": config.annotation.max_cost_per_month}


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
