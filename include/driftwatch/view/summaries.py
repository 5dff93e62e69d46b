"""What a month's days show on the overview, in one file: written when a day has ended, read as long as it is true.

Each day in it names the stamps of the files that it was made from. Where a day's folder is listed with others, its files are read: a day
that ran again, labels that came late, an accepted change and a forgotten image show at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.summary import OF_A_SUMMARY, DaySummary, MonthSummary, forms
from driftwatch.errors import DamagedArtifact, MissingArtifact
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_parts import DAY_PARTS, FILES, Stamps, read_parts

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore

_FAILURE = DAY_PARTS["failure"].kind.file


def month_of(day: date) -> str:
    return f"{day:%Y-%m}"


def summarised(artifacts: Artifacts, listed: Mapping[date, Any]) -> dict[date, DaySummary]:
    """What the summaries say of the days whose files are still those that they were made from. `listed`: the stamps of each day's files."""
    months = sorted({month_of(day) for day in listed})
    found: dict[date, DaySummary] = {}
    for days in artifacts.of_each(lambda month: _of_month(artifacts.store, month), months):
        found.update({day: known for day, known in days.items() if known.stamps == listed.get(day)})
    return found


def write_summaries(store: MonitorStore, day: date) -> list[str]:
    """Renews the summaries that the day may have changed, of its month and of the one before, and writes those of months without any.
    Returns the months that were written.

    Of two that do this at the same time the later one stays. What it does not know of yet is read from the days' own files.
    """
    artifacts, by_month = Artifacts(store), dict[str, list[date]]()
    for known in store.days():
        by_month.setdefault(month_of(known), []).append(known)
    there = {file_name(item.key).removesuffix(".json") for item in store.storage.list(store.keys.summaries)}
    renewed = {month_of(day), month_of(day.replace(day=1) - timedelta(days=1))}
    return [
        month
        for month, days in by_month.items()
        if (month in renewed or month not in there) and _write_month(artifacts, month, days)
    ]


def _write_month(artifacts: Artifacts, month: str, days: Iterable[date]) -> bool:
    """Whether there was anything new."""
    store = artifacts.store
    before = _of_month(store, month)

    def one(day: date) -> DaySummary | None:
        # Listed before it is read: where a file is replaced meanwhile, the stamp is the old one, and the summary is not believed.
        stamps = store.storage.stamps(store.keys.day(day).folder, FILES)
        known = before.get(day)
        return known if known and known.stamps == stamps else _made(store, day, stamps)

    made = dict(zip(days, artifacts.of_each(one, [*days]), strict=True))
    after = {day: found for day, found in made.items() if found}
    if after == before and store.storage.exists(store.keys.summary(month)):
        return False
    store.write(store.keys.summary(month), MonthSummary(forms=forms(), days=after))
    return True


def _made(store: MonitorStore, day: date, stamps: Stamps) -> DaySummary | None:
    """None where the day has failed, or has a damaged file: both are told from its own files. Raises what a storage raises that does not
    answer."""
    parts = read_parts(store.day(day), stamps, "brief")
    problems = [part.problem for part in parts.values() if part.problem]
    for problem in problems:
        if not isinstance(problem, DamagedArtifact):
            raise problem
    if _FAILURE in stamps or problems:
        return None
    found = {name: parts[name].value for name in OF_A_SUMMARY if parts[name].value is not None}
    return DaySummary(stamps=dict(stamps), **found)


def _of_month(store: MonitorStore, month: str) -> Mapping[date, DaySummary]:
    """The month's days as they were written; empty where there is no summary, or one of another Driftwatch."""
    try:
        found = store.read(store.keys.summary(month), MonthSummary)
    except (MissingArtifact, DamagedArtifact):
        return {}
    return found.days if found.forms == forms() else {}
