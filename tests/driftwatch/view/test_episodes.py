"""Episodes in words: in alerts, in the head of the report, in tips, and in the table of a monitor."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import ImagesDrifted, ModelGotWorse
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.ended_alerts import ImagesUsualAgain, ModelHoldsAgain
from driftwatch.artifacts.episodes import DayEpisodes, Episode
from driftwatch.view.alerts import alert_text
from driftwatch.view.days import Day
from driftwatch.view.episodes import rows, shown, since_line, tip

from ..artifacts import samples
from .typed import typed

DAY = date(2026, 1, 8)
DRIFT = typed(DayDrift, samples.DAY_DRIFT)


def episode(**changes: Any) -> Episode:
    return Episode.model_validate_json(json.dumps({**samples.EPISODE, **changes}))


def test_it_says_since_when_which_day_how_much_and_whether_it_gets_worse() -> None:
    assert since_line(episode(), DAY) == "since 2026-01-05, day 4, now 11 features, getting worse"
    sign = [{"name": "camera=door-17", "since": "2026-01-05"}, {"name": "content", "since": "2026-01-06"}]
    said = since_line(episode(signs=sign, features=0, size=0.4), DAY)
    assert said == "since 2026-01-05, day 4, camera door-17 and content"


def test_where_the_model_is_worse_in_a_segment_alone_it_names_that_segment() -> None:
    door = {"name": "camera=door-17", "since": "2026-01-05"}
    said = since_line(episode(line="performance", signs=[door], first_size=0.07, size=0.07), DAY)
    assert said == "since 2026-01-05, day 4, accuracy 93 %, camera door-17"


def test_an_alert_that_opens_says_what_it_always_said_and_a_later_one_what_is_new() -> None:
    before = alert_text("demo", ImagesDrifted(DAY, DRIFT), {})
    assert alert_text("demo", ImagesDrifted(DAY, DRIFT, episode=episode(event="opened")), {}) == before
    new = episode(event="changed", added=["content", "camera=door-17"], gone=["camera=door-3"], grew=True)
    subject, message = alert_text("demo", ImagesDrifted(DAY, DRIFT, episode=new), {})
    assert subject.endswith(
        "(day 4 of a change since 2026-01-05; new: content and camera door-17; usual again: camera door-3; a larger change)"
    )
    assert "  episode: since 2026-01-05, day 4, now 11 features, getting worse\n" in message


def test_a_reminder_says_that_it_is_one() -> None:
    found = typed(Performance, samples.PERFORMANCE)
    reminder = episode(line="performance", event="reminder", since="2026-01-01")
    subject, _ = alert_text("demo", ModelGotWorse(DAY, found, found.reasons, reminder), {})
    assert subject.startswith("[demo 2026-01-08] Still so on day 8: the model got worse")


def test_the_end_says_of_what_and_how() -> None:
    usual = ImagesUsualAgain(DAY, episode(event="closed", ended="usual"))
    said = "Images: the change of 2026-01-05 to 2026-01-08 ended: all is as usual again"
    assert alert_text("demo", usual, {})[0] == f"[demo 2026-01-08] {said}"
    by = {"event": "closed", "ended": "model", "ended_by": "v0003-1a2b3c4d", "line": "performance"}
    subject, message = alert_text("demo", ModelHoldsAgain(DAY, episode(**by)), {})
    assert subject.endswith("ended: model v0003-1a2b3c4d took over")
    assert "4 days with an alarm" in message
    accepted = shown(DayEpisodes(day=DAY, episodes=(episode(ended="accepted", ended_by="lamps"),)))
    assert accepted[0].text.endswith("ended: accepted as the state lamps")
    assert accepted[0].tone == "good"


def test_a_day_in_an_episode_says_so_in_its_tip_and_one_on_which_it_ended_does_not() -> None:
    open_, ended = (DayEpisodes(day=DAY, episodes=(episode(**how),)) for how in ({}, {"ended": "usual"}))
    assert Day(DAY, episodes=open_).said.endswith("; images: episode since 2026-01-05, day 4")
    assert Day(DAY, episodes=open_).in_episode
    assert (tip(ended), tip(None), Day(DAY, episodes=ended).in_episode) == ("", "", False)


def test_the_table_has_each_episode_once_with_how_often_it_was_told_the_newest_first() -> None:
    first = DayEpisodes(day=DAY - timedelta(days=1), episodes=(episode(event="opened"),))
    second = DayEpisodes(day=DAY, episodes=(episode(event="closed", ended="usual"),))
    later = DayEpisodes(day=DAY + timedelta(days=1), episodes=(episode(since="2026-01-09", event="opened"),))
    new, old = rows([first, second, later])
    assert (new.since, new.end, new.told) == (date(2026, 1, 9), None, 1)
    assert (old.since, old.end, old.told, old.what) == (
        date(2026, 1, 5), DAY, 2, "image quality and camera door-17",
    )  # fmt: skip
