"""The episodes of the stored days. Each day's file follows from the one before it and from the day's own artifacts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from driftwatch.artifacts.accuracy import Performance, WhyLabsAnalysis
from driftwatch.artifacts.base import DayArtifact
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.episodes import DayEpisodes, Episode
from driftwatch.drift.states import accepted_states
from driftwatch.episodes.fold import after_day
from driftwatch.episodes.signs import of_images, of_model
from driftwatch.errors import DamagedArtifact
from driftwatch.storage.lock import exclusive

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore, MonitorStore

D = TypeVar("D", bound=DayArtifact)
logger = logging.getLogger(__name__)
# A monitor of an early Driftwatch has no episodes yet; so many of its days are looked back on.
MOST_DAYS = 60


@contextmanager
def noted(day: DayStore) -> Iterator[DayEpisodes]:
    """Writes the day's episodes.json by what is known of the day so far, and gives it. Until the block ends no other step does the same:
    two steps of a day run at once, and what the later one says must count.

    The later days' files follow, where they change: a day that is filled in or labelled late may open an episode before one that is
    known already. Nothing is told of those days again.
    """
    store = day.monitor
    with exclusive(day.storage, store.keys.episodes_lock):
        yield _follow(store, day.date)


def _follow(store: MonitorStore, day: date) -> DayEpisodes:
    """Writes the episodes of the day, and of those later ones that change; returns the day's. Days before it that have none are looked at too."""
    accepted = {state.name: state.days for state in accepted_states(store)}
    days = store.days()
    earlier = [other for other in days if other < day][-MOST_DAYS:]
    before = _last_known(store, earlier)
    without = [other for other in earlier if before is None or other > before.day]
    found = DayEpisodes(day=day)
    later: list[tuple[DayStore, DayEpisodes]] = []
    for other in [*without, day, *(other for other in days if other > day)]:
        of = store.day(other)
        signs = (
            of_images(other, _sound(of, DayDrift), _sound(of, ContentDrift), accepted),
            of_model(other, _sound(of, Performance), _sound(of, WhyLabsAnalysis)),
        )
        if other != day and signs == (None, None):
            continue
        stored, before = _sound(of, DayEpisodes), after_day(other, before, signs, store.config.episodes)
        if other == day:
            found = before
        elif other > day and stored == before:
            break  # the days after it rest on the same
        if other > day:
            later.append((of, before))
        elif stored != before:
            of.write(before)
    # The last day first: who is killed on the way finds the next day still to be written.
    for of, episodes in reversed(later):
        of.write(episodes)
    return found


def later_days_of(day: DayStore, episode: Episode) -> Iterator[date]:
    """The later days that are of the episode too, as their episodes.json say."""
    for other in (other for other in day.monitor.days() if other > day.date):
        known = _sound(day.monitor.day(other), DayEpisodes)
        if known is None:
            continue
        same = known.of(episode.line)
        if same is None or same.since != episode.since:
            return
        yield other


def _last_known(store: MonitorStore, days: list[date]) -> DayEpisodes | None:
    """The newest episodes.json of the days; None where none has one."""
    for day in reversed(days):
        if found := _sound(store.day(day), DayEpisodes):
            return found
    return None


def _sound(of: DayStore, kind: type[D]) -> D | None:
    """The day's artifact of this kind. None where there is none, and where it cannot be read: one damaged file of some day stops no other."""
    try:
        return of.find(kind)
    except DamagedArtifact as error:
        logger.warning("The episodes leave out %s of %s: %s", kind.file, of.date, error)
        return None
