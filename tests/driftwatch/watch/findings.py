"""One finding of each kind."""

from __future__ import annotations

from datetime import date, datetime, timezone

from driftwatch.watch.findings import (
    ChampionMissing,
    DagsPaused,
    FilesRefused,
    Finding,
    LateDay,
    LateDays,
    PoolUnanswered,
    ReferenceOld,
    SpendNearLimit,
    StorageNotWritable,
)

SINCE = datetime(2026, 1, 20, 12, tzinfo=timezone.utc)


def late(*days: tuple[int, bool]) -> LateDays:
    return LateDays(since=SINCE, days=tuple(LateDay(date(2026, 1, day), begun) for day, begun in days), hours=60)


def one_of_each() -> list[Finding]:
    return [
        late((15, False), (16, False), (17, True), (19, False)),
        DagsPaused(since=SINCE, dags=("demo_monitoring", "demo_retraining")),
        FilesRefused(since=SINCE, files=("demo.yaml",), reason="demo.yaml: schedule.start_date: Field required"),
        ChampionMissing(since=SINCE, reason="demo has no champion"),
        SpendNearLimit(since=SINCE, month="2026-01", spent=250.5, limit=300),
        PoolUnanswered(since=SINCE, day=date(2026, 1, 20), pool="1000004", ends=datetime(2026, 1, 22, tzinfo=timezone.utc)),
        StorageNotWritable(since=SINCE, place="s3://bucket/demo", reason="AccessDenied"),
        ReferenceOld(since=SINCE, version="v0003-1a2b3c4d", used_on=date(2025, 1, 20)),
    ]  # fmt: skip
