"""A change is one episode: when it opens, when it is told again, and when it ends."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from driftwatch.artifacts.episodes import DayEpisodes, Episode
from driftwatch.config.episodes import EpisodesConfig
from driftwatch.episodes.fold import after_day
from driftwatch.episodes.signs import DaySigns

FIRST = date(2026, 1, 8)
QUALITY, SECOND_MODEL = "image_quality", "v0002-9db22f6a"


def signs(*alarms: str, line: str = "images", usual: bool = True, size: float = 0.4, **more: Any) -> DaySigns:
    """A day that says of everything but its alarms that it is as usual. `usual` False: it says nothing of them."""
    more = {"model_version": "v0001-0a1b2c3d", "features": len(alarms)} | more
    return DaySigns(line, FIRST, alarms, lambda name: usual and name not in alarms, size if alarms else 0.0, **more)


NOTHING = signs(usual=False)


def run(*days: DaySigns | None, **settings: Any) -> list[DayEpisodes]:
    """The episodes after each of the days, from FIRST on."""
    found: list[DayEpisodes] = []
    for number, of in enumerate(days):
        day = FIRST + timedelta(days=number)
        dated = DaySigns(**{**vars(of), "day": day}) if of else None
        found.append(after_day(day, found[-1] if found else None, [dated], EpisodesConfig(**settings)))
    return found


def events(found: list[DayEpisodes]) -> list[list[str | None]]:
    return [[episode.event for episode in of.episodes] for of in found]


def last(found: list[DayEpisodes]) -> Episode:
    return found[-1].episodes[-1]


def test_a_change_of_eleven_days_is_told_when_it_opens_after_a_week_and_when_it_ends():
    found = run(*[signs(QUALITY)] * 11, *[signs()] * 4)
    assert [event for (event,) in events(found)[:13]] == [
        "opened", *[None] * 6, "reminder", *[None] * 5,
    ]  # fmt: skip
    assert events(found)[13:] == [["closed"], []]
    ended = found[13].episodes[0]
    assert (ended.since, ended.until, ended.alarms, ended.ended) == (FIRST, FIRST + timedelta(days=10), 11, "usual")


def test_two_usual_days_do_not_end_it_and_the_count_begins_anew_after_an_alarm():
    found = run(signs(QUALITY), signs(), signs(), signs(QUALITY), signs(), signs(), signs())
    assert events(found) == [["opened"], [None], [None], [None], [None], [None], ["closed"]]
    assert found[3].episodes[0].alarms == 2


def test_days_without_evidence_neither_open_nor_continue_nor_end_it():
    assert run(NOTHING)[-1].episodes == ()
    found = run(signs(QUALITY), *[NOTHING] * 9, None, signs(), signs(), signs())
    assert events(found) == [["opened"], *[[None]] * 12, ["closed"]]
    assert found[10].episodes[0].alarms == 1


def test_the_settings_say_how_many_usual_days_end_it_and_when_it_is_told_again():
    assert events(run(signs(QUALITY), signs(), usual_days=1)) == [["opened"], ["closed"]]
    always = run(*[signs(QUALITY)] * 30, remind_days=0)
    assert events(always) == [["opened"], *[[None]] * 29]


def test_a_reminder_waits_for_a_day_that_alarms():
    found = run(*[signs(QUALITY)] * 7, signs(), signs(QUALITY))
    assert events(found)[-2:] == [[None], ["reminder"]]


def test_another_kind_is_told_once_however_often_it_comes_and_goes():
    both, one = signs(QUALITY, "content"), signs(QUALITY)
    found = run(one, both, one, one, one, one, both)
    assert events(found) == [["opened"], ["changed"], *[[None]] * 5]
    assert found[1].episodes[0].added == ("content",)


def test_a_second_broken_camera_is_told_and_a_repaired_one_after_three_usual_days():
    one, two = "camera=door-17", "camera=door-31"
    found = run(signs(one), signs(one, two), *[signs(two)] * 4)
    assert events(found) == [["opened"], ["changed"], [None], [None], ["changed"], [None]]
    assert (found[1].episodes[0].added, found[4].episodes[0].gone) == ((two,), (one,))


def test_of_a_hundred_changed_cameras_a_few_that_come_and_go_are_not_told_each_day():
    cameras = [f"camera=door-{number}" for number in range(100)]
    found = run(signs(QUALITY, *cameras), *(signs(QUALITY, *cameras[: 100 - step]) for step in range(1, 6)))
    assert events(found) == [["opened"], *[[None]] * 5]
    many = run(signs(QUALITY, *cameras[:40]), signs(QUALITY, *cameras))
    assert events(many) == [["opened"], ["changed"]]


def test_a_change_that_grows_is_told_by_its_size_and_says_that_it_gets_worse():
    found = run(*(signs(QUALITY, size=size) for size in (0.3, 0.45, 0.5, 0.55)))
    assert events(found) == [["opened"], [None], ["changed"], [None]]
    assert found[2].episodes[0].grew
    assert (found[0].episodes[0].course, last(found).course) == ("same", "worse")
    assert last(run(signs(QUALITY, size=0.5), signs(QUALITY, size=0.3))).course == "better"


def test_days_that_were_accepted_end_it_at_once_and_other_states_do_not():
    own, others = {"january": (FIRST,)}, {"older": (FIRST - timedelta(days=9),)}
    found = run(signs(QUALITY), signs(states=own))
    assert (last(found).ended, last(found).ended_by) == ("accepted", "january")
    assert events(run(signs(QUALITY), signs(states=others))) == [["opened"], [None]]
    assert events(run(signs(QUALITY), signs("content", states=own))) == [["opened"], ["changed"]]


def test_another_model_ends_what_was_told_of_the_old_one_and_may_open_its_own():
    def model(*alarms: str, **more: Any) -> DaySigns:
        return signs(*alarms, line="performance", **more)

    good = run(model("model"), model(model_version=SECOND_MODEL))
    assert (last(good).ended, last(good).ended_by) == ("model", SECOND_MODEL)
    bad = run(model("model"), model("model", model_version=SECOND_MODEL))
    assert events(bad) == [["opened"], ["closed", "opened"]]
    unknown = run(model("model"), model(usual=False, model_version=SECOND_MODEL))
    assert events(unknown) == [["opened"], [None]]


def test_worse_accuracy_that_becomes_critical_is_told_and_an_alarm_after_it_is_not():
    steps = [("model",), ("model", "critical"), ("model",), ("model", "critical")]
    found = run(*(signs(*alarms, line="performance") for alarms in steps))
    assert events(found) == [["opened"], ["changed"], [None], [None]]


def test_both_lines_stand_side_by_side():
    images, model = signs(QUALITY), signs("model", line="performance")
    found = after_day(FIRST, None, [images, model], EpisodesConfig())
    assert [episode.line for episode in found.open] == ["images", "performance"]
    later = DaySigns(**{**vars(images), "day": FIRST + timedelta(days=1)})
    kept = after_day(later.day, found, [later, None], EpisodesConfig())
    assert [(episode.line, episode.event) for episode in kept.open] == [("images", None), ("performance", None)]


def test_a_chart_that_is_still_alarmed_opens_nothing_again_and_keeps_its_own_episode_open():
    crossed, still = signs("trend"), signs("trend", lasting=("trend",))
    assert run(still)[-1].episodes == ()
    assert events(run(signs(QUALITY), signs(QUALITY, "trend", lasting=("trend",)))) == [["opened"], [None]]
    found = run(crossed, still, *[signs()] * 3, still)
    assert events(found) == [["opened"], [None], [None], [None], ["closed"], []]
