"""One day more: the episodes after a day, from those after the day before and from what the day says. Nothing else counts, so a day that runs
twice, or is filled in later, gives the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.episodes import DayEpisodes, Episode, Sign

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from driftwatch.config.episodes import EpisodesConfig
    from driftwatch.episodes.signs import DaySigns

# Of many segments some come and some go each day. They are told when as many changed as are a quarter of those that were told.
_FEW = 4


def after_day(
    day: date, before: DayEpisodes | None, found: Sequence[DaySigns | None], settings: EpisodesConfig
) -> DayEpisodes:
    """The episodes after `day`. `before`: those after the last day before it; `found`: what the day says of each line, images first."""
    episodes: list[Episode] = []
    signs_of = {signs.line: signs for signs in found if signs}
    for line in ("images", "performance"):
        known = next((episode for episode in (before.open if before else ()) if episode.line == line), None)
        signs = signs_of.get(line)
        if signs is None or not signs.has_evidence:
            episodes += [_quiet(known)] if known else []
        else:
            episodes += _line_after(known, signs, settings)
    return DayEpisodes(day=day, episodes=tuple(map(_lean, episodes)))


def _lean(episode: Episode) -> Episode:
    """The episode as it is written: what is at its default is absent."""
    fields = Episode.model_fields
    return Episode(**{name: value for name, value in episode if value != fields[name].default})


def _line_after(known: Episode | None, signs: DaySigns, settings: EpisodesConfig) -> Iterator[Episode]:
    if known and known.line == "performance" and known.model_version != signs.model_version:
        yield _ended(known, signs, "model", signs.model_version)
        known = None
    has = {sign.name for sign in known.signs} if known else set()
    signs = replace(signs, alarms=tuple(name for name in signs.alarms if name in has or name not in signs.lasting))
    if known is None:
        if signs.alarms:
            yield _opened(signs)
        return
    state = next((name for name, days in (signs.states or {}).items() if _overlap(days, known)), None)
    if state and not signs.alarms:
        yield _ended(known, signs, "accepted", state)
        return
    after = _continued(known, signs, settings)
    if all(sign.usual_days >= settings.usual_days for sign in after.signs):
        yield _ended(after, signs, "usual", None)
    else:
        yield _with_event(after, signs, settings)


def _overlap(days: Sequence[date], known: Episode) -> bool:
    return any(known.since <= day <= known.until for day in days)


def _opened(signs: DaySigns) -> Episode:
    return Episode(
        line=signs.line,
        since=signs.day,
        until=signs.day,
        alarms=1,
        signs=tuple(Sign(name=name, since=signs.day) for name in signs.alarms),
        features=signs.features,
        size=signs.size,
        first_size=signs.size,
        model_version=signs.model_version,
        event="opened",
        added=signs.alarms,
        told=signs.day,
        told_signs=signs.alarms,
        told_size=signs.size,
    )


def _quiet(known: Episode) -> Episode:
    """The episode without what there was to tell on an earlier day."""
    return known.model_copy(update={"event": None, "added": (), "gone": (), "grew": False})


def _continued(known: Episode, signs: DaySigns, settings: EpisodesConfig) -> Episode:
    kept = [_sign_after(sign, signs) for sign in known.signs]
    if signs.alarms or not all(sign.usual_days >= settings.usual_days for sign in kept):
        kept = [sign for sign in kept if not (sign.of_segment and sign.usual_days >= settings.usual_days)]
    names = {sign.name for sign in kept}
    new = [Sign(name=name, since=signs.day) for name in signs.alarms if name not in names]
    after: dict[str, Any] = {"signs": (*kept, *new)}
    if signs.alarms:
        after |= {
            "until": signs.day,
            "alarms": known.alarms + 1,
            "features": signs.features,
            "size": signs.size,
            "model_version": signs.model_version,
        }
    return _quiet(known).model_copy(update=after)


def _sign_after(sign: Sign, signs: DaySigns) -> Sign:
    if sign.name in signs.alarms:
        return Sign(name=sign.name, since=sign.since)
    if signs.is_usual(sign.name):
        return sign.model_copy(update={"usual_days": sign.usual_days + 1})
    return sign


def _with_event(after: Episode, signs: DaySigns, settings: EpisodesConfig) -> Episode:
    """The episode with what there is to tell of it on the day, if there is anything. On a usual day nothing is: it may be the first of the end."""
    if not signs.alarms:
        return after
    names, told = {sign.name for sign in after.signs}, set(after.told_signs)
    added, gone = names - told, told - names
    kinds = any("=" not in name for name in added)
    segments = [name for name in added | gone if "=" in name]
    many = sum("=" in name for name in told)
    grew = after.line == "images" and after.size - after.told_size >= settings.growth
    if kinds or grew or (segments and len(segments) * _FEW > many):
        event = "changed"
    elif settings.remind_days and (signs.day - after.told).days >= settings.remind_days:
        event = "reminder"
    else:
        return after
    told_now = {
        "event": event,
        "added": tuple(sorted(added)),
        "gone": tuple(sorted(gone)),
        "grew": grew,
        "told": signs.day,
        "told_signs": tuple(sign.name for sign in after.signs),
        "told_size": after.size,
    }
    return after.model_copy(update=told_now)


def _ended(known: Episode, signs: DaySigns, how: str, by: str | None) -> Episode:
    end = {"event": "closed", "told": signs.day, "ended": how} | ({"ended_by": by} if by else {})
    return _quiet(known).model_copy(update=end)
