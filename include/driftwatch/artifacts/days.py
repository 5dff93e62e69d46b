"""What a monitor has: its days, model versions and retrainings. A folder with another kind of name, such as a copy, is ignored."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from driftwatch.artifacts.nested_keys import file_name, run_key
from driftwatch.errors import NeedsAttention

if TYPE_CHECKING:
    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.storage import Storage

# No monitor has watched, or will watch, a day outside this range.
DAYS = (date(2000, 1, 1), date(2099, 12, 31))
# A range of days that a person names is no longer.
MOST_DAYS = 400
_VERSION = re.compile(r"v(\d{4,})-[0-9a-f]{8}")


def day_of(name: str) -> date | None:
    """The day whose folder has this name, YYYY-MM-DD alone; else None."""
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


def stored_days(storage: Storage, keys: MonitorKeys) -> list[date]:
    """The days within DAYS that have a folder, in order."""
    return [day for name in storage.folders(keys.days) if (day := day_of(name)) and DAYS[0] <= day <= DAYS[1]]


def days_of_data_since(storage: Storage, keys: MonitorKeys, since: date, day: date) -> int:
    """How many days after `since`, up to and including `day`, have images that were taken in. A gap in the data does not count."""
    days = [other for other in stored_days(storage, keys) if since < other < day]
    return 1 + sum(storage.exists(keys.day(other).ingest) for other in days)


def version_number(version: str) -> int:
    """The number of a model version such as v0003-1a2b3c4d; 0 if it is no version."""
    match = _VERSION.fullmatch(version)
    return int(match[1]) if match else 0


def model_versions(storage: Storage, keys: MonitorKeys) -> list[str]:
    """The model versions that have a card, oldest first."""
    found = [name for name in storage.folders(keys.models) if _VERSION.fullmatch(name)]
    return sorted((name for name in found if storage.exists(keys.model_card(name))), key=version_number)


def stored_retrainings(storage: Storage, keys: MonitorKeys) -> list[str]:
    """The run keys of the retrainings that have a folder."""
    return [name for name in storage.folders(keys.retrainings) if run_key(name) == name]


def days_of_attached_alerts(storage: Storage, keys: MonitorKeys, run_key: str) -> list[date]:
    """The days whose alerts came while this retraining was under way, in order."""
    names = [file_name(item.key) for item in storage.list(keys.of_retraining(run_key).attached_alerts)]
    return sorted(day for name in names if name.endswith(".json") and (day := day_of(name.removesuffix(".json"))))


def days_in(text: str) -> list[date]:
    """The days that a person names: `2026-01-08`, `2026-01-08..2026-01-10`, or several of these with commas. In order, each once.

    Raises NeedsAttention for anything else, and for a range that goes back or is longer than MOST_DAYS.
    """
    found: set[date] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        ends = [day_of(end.strip()) for end in part.split("..")]
        first, last = ends[0], ends[-1]
        if first is None or last is None or len(ends) > 2:
            raise NeedsAttention(f"{part!r} is no day: write days as YYYY-MM-DD, or a range as 2026-01-08..2026-01-10")
        if last < first or (last - first).days >= MOST_DAYS:
            raise NeedsAttention(f"{part!r}: a range goes forward, over at most {MOST_DAYS} days")
        found.update(first + timedelta(days=number) for number in range((last - first).days + 1))
    return sorted(found)
