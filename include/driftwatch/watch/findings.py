"""What the watch finds: one class for each kind, with the values that it is about. `driftwatch.view.watch_words` puts them into words.

A finding is told as the other alerts are. It has no day of its own: it goes on from one look to the next, until it is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from driftwatch.artifacts.alerts import Alert, News

WatchEvent = Literal["opened", "reminder", "closed"]


@dataclass(frozen=True, kw_only=True)
class Finding(Alert):
    """Something that is not as it should be. `since`: when it began or was first seen. `event`: what there is to tell of it. `reminder`: how
    often it was told again. Of one that is over the other fields are left out."""

    page = ""

    since: datetime
    event: WatchEvent = "opened"
    reminder: int = 0

    @property
    def news(self) -> News:
        return {"event": self.event, "since": self.since.isoformat(), "reminder": str(self.reminder)}


@dataclass(frozen=True)
class LateDay:
    """A day without a verdict. `begun`: whether its images were taken in."""

    day: date
    begun: bool


@dataclass(frozen=True, kw_only=True)
class LateDays(Finding):
    """Days have no verdict after `hours` from their end, and none says why. `days`: in order."""

    kind = "late_day"
    source = "late_day"

    days: tuple[LateDay, ...] = ()
    hours: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DagsPaused(Finding):
    """DAGs of the monitor are paused. `dags`: their ids."""

    kind = "dag_paused"
    source = "dag_paused"

    dags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FilesRefused(Finding):
    """Monitor files are refused, so that their monitors do not run. `files`: their names. `reason`: of the first."""

    kind = "file_refused"
    source = "file_refused"

    files: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ChampionMissing(Finding):
    """There is no champion, or it cannot be loaded. `reason`: in one sentence."""

    kind = "champion_missing"
    source = "champion_missing"

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class SpendNearLimit(Finding):
    """Labels of `month` (YYYY-MM) take `spent` of the `limit`, in USD: what ended days have cost and the others are planned to."""

    kind = "spend_near_limit"
    source = "spend_near_limit"

    month: str = ""
    spent: float = 0.0
    limit: float = 0.0


@dataclass(frozen=True, kw_only=True)
class PoolUnanswered(Finding):
    """Nobody has answered in the open pool of `day`, which ends at `ends`."""

    kind = "pool_unanswered"
    source = "pool_unanswered"

    day: date | None = None
    pool: str = ""
    ends: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StorageNotWritable(Finding):
    """The monitor's storage at `place` cannot be written. `reason`: what it answered."""

    kind = "storage_not_writable"
    source = "storage_not_writable"

    place: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReferenceOld(Finding):
    """Days are compared with the reference of `version` since `used_on` or longer, and nothing newer was accepted as usual."""

    kind = "reference_old"
    source = "reference_old"

    version: str = ""
    used_on: date | None = None


FINDINGS: tuple[type[Finding], ...] = (
    LateDays,
    DagsPaused,
    FilesRefused,
    ChampionMissing,
    SpendNearLimit,
    PoolUnanswered,
    StorageNotWritable,
    ReferenceOld,
)
