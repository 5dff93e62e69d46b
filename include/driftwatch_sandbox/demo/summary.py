"""The demo's table and var/demo/summary.json, read from the artifacts that the product wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import TRAINING, ContentDrift, DayDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.parts import Interval
from driftwatch.artifacts.store import DayStore
from driftwatch.view.shares import share_text
from driftwatch.view.words import feature_name, headline


@dataclass(frozen=True)
class SegmentOfDay:
    """One segment of a day. `accuracy` and `interval` are null where they are not known."""

    images: int
    drifted: bool
    accuracy: float | None = None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class EpisodeOfDay:
    """The change that is open after a day. `kind`: images or performance; `since`: its first day; `day`: 1 on that day."""

    kind: str
    since: str
    day: int


@dataclass(frozen=True)
class DayRow:
    """One day's row. `accuracy` and `interval` are null if no image has a label. `state`: the accepted state that the images are like, null if
    they drifted. `segments`: by name; empty without segments. `episode`: the change that the day is in, the model's before the images'; null without
    one."""

    day: str
    listed: int
    accepted: int
    duplicate: int
    quarantined: int
    ignored: int
    drifted: bool
    drifted_features: tuple[str, ...]
    labels: int
    accuracy: float | None
    interval: tuple[float, float] | None
    verdict: str
    model_version: str
    retraining_run_id: str | None
    state: str | None = None
    segments: dict[str, SegmentOfDay] = field(default_factory=dict)
    episode: EpisodeOfDay | None = None

    @property
    def drifted_in(self) -> str:
        """`in 3 features`, or `in door-2`."""
        names = [name for name, segment in self.segments.items() if segment.drifted]
        return f"in {', '.join(names)}" if names else f"in {len(self.drifted_features)} features"


def day_row(day: DayStore, retraining_run_id: str | None) -> DayRow:
    """The row of a day whose run has succeeded."""
    ingest, drift, performance = day.read(Ingest), day.read(DayDrift), day.read(Performance)
    measured = performance.accuracy.numbers
    return DayRow(
        day=day.date.isoformat(),
        listed=ingest.listed,
        accepted=ingest.accepted,
        duplicate=ingest.duplicate,
        quarantined=ingest.quarantined,
        ignored=ingest.ignored,
        drifted=drift.verdict == "drifted",
        drifted_features=drift.drifted_features,
        labels=performance.labels,
        accuracy=measured[0] if measured else None,
        interval=measured[1:] if measured else None,
        verdict=performance.verdict,
        model_version=ingest.model_version,
        retraining_run_id=retraining_run_id,
        state=drift.like if drift.verdict == "ok" else None,
        segments=_segments(drift, performance),
        episode=_episode(day),
    )


def _segments(drift: DayDrift, performance: Performance) -> dict[str, SegmentOfDay]:
    measured = {(row.by, row.name): row.accuracy.numbers for row in performance.segments}
    rows = {}
    for row in drift.segments:
        known = measured.get((row.by, row.name))
        accuracy, interval = (known[0], known[1:]) if known else (None, None)
        rows[row.name] = SegmentOfDay(row.images, row.status == "drifted", accuracy, interval)
    return rows


def _episode(day: DayStore) -> EpisodeOfDay | None:
    found = day.find(DayEpisodes)
    open_ = {one.line: one for one in found.open} if found else {}
    of = open_.get("performance") or open_.get("images")
    return EpisodeOfDay(of.line, of.since.isoformat(), of.day_number(day.date)) if of else None


def _like(row: DayRow) -> str:
    """Nothing drifted: since the images are as in training, or like days that were accepted."""
    return "none" if row.state in (TRAINING, None) else f"as {row.state}"


def found(day: DayStore) -> str:
    """The headline of the day's report: what happened to the images, and to the model."""
    from driftwatch.view.segments import first_line

    drift = day.read(DayDrift)
    answers = day.find(ContentDrift)
    return headline(day.read(Ingest), drift, day.read(Performance), answers, segments=first_line(drift))


def table(rows: Sequence[DayRow], title: str) -> Table:
    """The days as a table for people, 80 columns wide."""
    shown = Table(
        title=title,
        caption="Images: accepted (+ duplicate or quarantined files). Accuracy: with its 95 % interval",
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
    for name in ("Day", "Images", "Drifted features", "Accuracy", "Verdict", "Model"):
        shown.add_column(name, no_wrap=name not in ("Drifted features", "Verdict"))
    for row in rows:
        names = [feature_name(name) for name in row.drifted_features]
        named = f"[yellow]{len(names)}: {names[0]}{' …' if names[1:] else ''}[/]" if names else _like(row)
        if row.drifted and any(segment.drifted for segment in row.segments.values()):
            named = f"[yellow]{row.drifted_in}[/]"
        others = row.duplicate + row.quarantined
        low, high = row.interval or (None, None)
        accuracy = share_text(Interval(value=row.accuracy, low=low, high=high))
        verdict = {"ok": "[green]ok[/]", "alert": "[bold red]alert[/]"}.get(row.verdict, row.verdict.replace("_", " "))
        shown.add_row(
            date.fromisoformat(row.day).strftime("%d %b"),
            f"{row.accepted}{f' (+{others})' if others else ''}",
            named,
            escape(accuracy),
            verdict,
            row.model_version,
        )
    return shown
