"""Episodes in words: since when, on which day, what, and whether it gets worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from driftwatch.view import tones
from driftwatch.view.numbers import percent
from driftwatch.view.words import count, listing

if TYPE_CHECKING:
    from driftwatch.artifacts.episodes import DayEpisodes, Episode

_NAMES = {
    "image_quality": "image quality",
    "content": "content",
    "predictions": "predictions",
    "trend": "a slow trend",
    "model": "the model got worse",
    "critical": "critical",
    "whylabs": "WhyLabs",
}
_LINES = {"images": "Images", "performance": "Model"}
_COURSES = {"worse": ", getting worse", "better": ", getting better", "same": ""}
MOST_NAMED = 6


def sign_name(name: str) -> str:
    """`image quality`; `camera door-17` of a segment."""
    return _NAMES.get(name, name.replace("=", " ", 1))


def names(found: Sequence[str]) -> str:
    """The signs by name; of many segments the rest is counted."""
    return listing([sign_name(name) for name in found], MOST_NAMED)


def since_line(episode: Episode, day: date) -> str:
    """`since 2026-01-08, day 3, now 11 features, getting worse`."""
    return f"since {episode.since}, day {episode.day_number(day)}{_now(episode)}{_COURSES[episode.course]}"


def _now(episode: Episode) -> str:
    if episode.line == "performance":
        size = f", accuracy {percent(1 - episode.size)}"
    else:
        size = f", now {count(episode.features, 'feature')}" if episode.features else ""
    others = [name for name in episode.current if name not in ("image_quality", "model")]
    return size + (f", {names(others)}" if others else "")


def whole_line(episode: Episode, day: date) -> str:
    """One sentence without a full stop: what is open and since when, or how it ended."""
    if episode.ended is None:
        return f"{_LINES[episode.line]}: {since_line(episode, day)}"
    return f"{_LINES[episode.line]}: {ended_line(episode)}"


def ended_line(episode: Episode) -> str:
    """`the change of 2026-01-08 to 2026-01-10 ended: accepted as the state january`."""
    span = f"{episode.since}" if episode.since == episode.until else f"{episode.since} to {episode.until}"
    return f"the change of {span} ended: {_how(episode)}"


def _how(episode: Episode) -> str:
    return {
        "usual": "all is as usual again",
        "accepted": f"accepted as the state {episode.ended_by}",
        "model": f"model {episode.ended_by} took over",
    }[episode.ended or "usual"]


def said(what: str, episode: Episode | None, day: date) -> str:
    """What an alert says, `what`, with what is new in the episode, or as a reminder."""
    if episode is None or episode.event in (None, "opened"):
        return what
    number = episode.day_number(day)
    if episode.event == "reminder":
        return f"Still so on day {number}: {what[:1].lower()}{what[1:]}"
    new = [f"new: {names(episode.added)}"] if episode.added else []
    new += [f"usual again: {names(episode.gone)}"] if episode.gone else []
    new += ["a larger change"] if episode.grew else []
    return f"{what} (day {number} of a change since {episode.since}; {'; '.join(new)})"


def of_alert(episode: Episode | None, day: date) -> dict[str, str]:
    """The line of an alert about its episode. None on its first day, which has no more to say."""
    if episode is None or episode.event == "opened":
        return {}
    return {"episode": since_line(episode, day)}


@dataclass(frozen=True)
class ShownEpisode:
    """An episode of a day, for the head of the report and of the day's page."""

    tone: str
    text: str


def shown(found: DayEpisodes | None) -> list[ShownEpisode]:
    """The day's open episodes, and those that ended on it."""
    if found is None:
        return []
    return [
        ShownEpisode(tones.GOOD if episode.ended else _tone(episode), whole_line(episode, found.day))
        for episode in found.episodes
    ]


def newest(days: Sequence[DayEpisodes]) -> list[ShownEpisode]:
    """The episodes that are open after the last of the days. Labels come later than images: a line that a later day says nothing of is as it
    was left."""
    return [row for row in shown(days[-1]) if row.tone != tones.GOOD] if days else []


def _tone(episode: Episode) -> str:
    return tones.BAD if episode.line == "performance" else tones.WARN


def tip(found: DayEpisodes | None) -> str:
    """For the calendar's tips: `episode since 2026-01-08, day 3`. Empty where none is open."""
    if found is None:
        return ""
    return "; ".join(
        f"{_LINES[episode.line].lower()}: episode since {episode.since}, day {episode.day_number(found.day)}"
        for episode in found.open
    )


@dataclass(frozen=True)
class EpisodeRow:
    """One episode from its first day on. `end`: the day on which it ended, None while it is open; `told`: how often it was told."""

    line: str
    since: date
    end: date | None
    alarms: int
    what: str
    how: str
    told: int
    tone: str


def rows(days: Sequence[DayEpisodes]) -> list[EpisodeRow]:
    """Every episode of the days, the newest first. `days`: in order."""
    latest: dict[tuple[str, date], tuple[Episode, date]] = {}
    told: dict[tuple[str, date], int] = {}
    for found in days:
        for episode in found.episodes:
            key = (episode.line, episode.since)
            latest[key] = (episode, found.day)
            told[key] = told.get(key, 0) + bool(episode.event)
    made = [
        EpisodeRow(
            _LINES[episode.line],
            episode.since,
            day if episode.ended else None,
            episode.alarms,
            names([sign.name for sign in episode.signs]),
            f"alarmed until {episode.until}; {_how(episode)}" if episode.ended else since_line(episode, day),
            told[key],
            tones.GOOD if episode.ended else _tone(episode),
        )
        for key, (episode, day) in latest.items()
    ]
    return sorted(made, key=lambda row: (row.since, row.line), reverse=True)
