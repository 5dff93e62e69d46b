"""The episodes of stored days: computed from their artifacts alone, whichever order the days run in."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

import pytest

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import SegmentsGotWorse
from driftwatch.artifacts.base import A
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.reference import AcceptedState
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.episodes.alerts import about_images, about_model
from driftwatch.episodes.days import noted
from driftwatch.storage import open_storage
from driftwatch.view.alerts import words_of
from driftwatch.view.episodes import since_line

from ...stores import monitor_store
from ..artifacts import samples

FIRST = date(2026, 1, 5)
STORY = "..aaa.a..."  # a: an alarm


@pytest.fixture
def store(tmp_path) -> MonitorStore:
    return monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def made(kind: type[A], whole: dict[str, Any], **changes: Any) -> A:
    return kind.model_validate_json(json.dumps({**whole, **changes}))


def put_drift(store: MonitorStore, number: int, drifted: bool, **changes: Any) -> None:
    verdict = "drifted" if drifted else "ok"
    calm = {} if drifted else {"drifted_features": []}
    trend = {**samples.DAY_DRIFT["trend"], "verdict": "ok"}
    known = {"day": day(number).isoformat(), "verdict": verdict, "trend": trend} | calm | changes
    store.day(day(number)).write(made(DayDrift, samples.DAY_DRIFT, **known))


def put_answers(store: MonitorStore, number: int, drifted: bool) -> None:
    content = {**samples.CONTENT_DRIFT["content"], "verdict": "drifted" if drifted else "ok"}
    predictions = {**samples.CONTENT_DRIFT["predictions"], "verdict": "ok"}
    known = {"day": day(number).isoformat(), "content": content, "predictions": predictions}
    store.day(day(number)).write(made(ContentDrift, samples.CONTENT_DRIFT, **known))


def put_performance(store: MonitorStore, number: int, verdict: str, **changes: Any) -> None:
    alert = {"severity": "warning" if verdict == "alert" else None, "fired": verdict == "alert"}
    known = {"day": day(number).isoformat(), "verdict": verdict} | alert | changes
    store.day(day(number)).write(made(Performance, samples.PERFORMANCE, **known))


def note(store: MonitorStore, number: int) -> DayEpisodes:
    with noted(store.day(day(number))) as found:
        return found


def files(store: MonitorStore) -> dict[date, bytes]:
    keys = {of: store.day(of).key(DayEpisodes) for of in store.days()}
    return {of: store.storage.read_bytes(key) for of, key in keys.items() if store.storage.exists(key)}


def test_days_in_any_order_and_run_twice_leave_the_same_files(store, tmp_path):
    for number, what in enumerate(STORY):
        put_drift(store, number, what == "a")
        note(store, number)
    expected = files(store)
    assert [json.loads(data)["episodes"] != [] for data in expected.values()] == [False] * 2 + [True] * 8
    other = monitor_store(open_storage(f"file://{tmp_path}/other"), MonitorKeys("demo"))
    order = random.Random(3).sample(range(len(STORY)), len(STORY))
    for number in [*order, *order[:4]]:
        put_drift(other, number, STORY[number] == "a")
        note(other, number)
    assert files(other) == expected


def test_a_day_that_is_filled_in_moves_the_first_day_of_an_episode_that_is_known_already(store):
    put_drift(store, 1, drifted=True)
    note(store, 1)
    put_drift(store, 0, drifted=True)
    note(store, 0)
    later = store.day(day(1)).read(DayEpisodes).open[0]
    assert (later.since, later.alarms, later.event) == (day(0), 2, None)


def test_a_step_that_is_killed_among_the_later_days_is_finished_by_its_repeat(store, monkeypatch):
    for number in (1, 2, 3):
        put_drift(store, number, drifted=True)
        note(store, number)
    put_drift(store, 0, drifted=True)
    left, write = 2, DayStore.write

    def killed(of: DayStore, artifact: Any) -> None:
        nonlocal left
        if (left := left - 1) < 0:
            raise KeyboardInterrupt
        write(of, artifact)

    monkeypatch.setattr(DayStore, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        note(store, 0)
    monkeypatch.setattr(DayStore, "write", write)
    note(store, 0)
    assert [store.day(day(number)).read(DayEpisodes).open[0].since for number in range(4)] == [day(0)] * 4


def test_labels_that_come_days_later_open_their_episode_on_their_own_day_and_the_later_days_follow(store):
    for number in range(3):
        put_drift(store, number, drifted=False)
        note(store, number)
    put_performance(store, 0, "alert")
    assert note(store, 0).of("performance").event == "opened"
    assert store.day(day(2)).read(DayEpisodes).of("performance").since == day(0)


def test_both_steps_of_a_morning_give_one_alert_with_what_both_found(store):
    put_drift(store, 0, drifted=True)
    put_answers(store, 0, drifted=True)
    alert = about_images(store.day(day(0)), note(store, 0))
    assert alert is not None
    assert (alert.drift.day, alert.answers is not None, alert.episode.event) == (day(0), True, "opened")
    put_drift(store, 1, drifted=True)
    put_answers(store, 1, drifted=True)
    assert about_images(store.day(day(1)), note(store, 1)) is None


def test_the_content_alone_is_told_as_such(store):
    put_drift(store, 0, drifted=False)
    put_answers(store, 0, drifted=True)
    assert type(about_images(store.day(day(0)), note(store, 0))).__name__ == "AnswersDrifted"


def test_a_new_camera_is_told_and_opens_no_episode_and_a_missing_one_does(store):
    def camera(status: str) -> list[dict[str, Any]]:
        return [{"by": "camera", "name": "door-9", "images": 5, "status": status, "since": day(0).isoformat()}]

    put_drift(store, 0, drifted=False, segments=camera("new"))
    found = note(store, 0)
    assert found.episodes == ()
    assert about_images(store.day(day(0)), found).episode is None
    put_drift(store, 0, drifted=False, segments=camera("missing"))
    assert note(store, 0).open[0].current == ("camera=door-9",)


def test_a_camera_that_is_new_while_a_change_goes_on_or_ends_is_told_too_and_the_change_is_not_told_again(store):
    camera = {"by": "camera", "name": "door-9", "images": 5, "status": "new"}
    told = []
    for number, drifted in enumerate((True, True, False, False, False)):
        put_drift(store, number, drifted, segments=[{**camera, "since": day(number).isoformat()}])
        told.append(words_of(about_images(store.day(day(number)), note(store, number))))
    assert [words.said for words in told[1:4]] == ["New camera: door-9"] * 3
    assert told[1].numbers["episode"].startswith(f"since {day(0)}, day 2")
    assert told[4].said.endswith("ended: all is as usual again; new camera: door-9")


def test_an_accepted_day_ends_the_episode_of_its_days(store):
    put_drift(store, 0, drifted=True)
    decision = {"what": "accepted", "by": "ana", "at": "2026-01-05T09:00:00+00:00", "reason": "new lamps"}
    state = {"name": "lamps", "days": [day(0).isoformat()], "images": 60, "history": [decision]}
    store.write(store.keys.state("lamps"), made(AcceptedState, state))
    put_drift(store, 1, drifted=False, state="lamps")
    note(store, 0)
    assert note(store, 1).episodes[0].ended_by == "lamps"


def test_a_rule_that_fired_without_an_alert_is_no_usual_day(store):
    put_performance(store, 0, "alert")
    for number in range(1, 5):
        put_performance(store, number, "ok", fired=True)
    assert note(store, 4).of("performance").ended is None
    assert about_model(store.day(day(4)), note(store, 4)) is None


def test_an_alert_of_a_day_without_a_label_has_the_accuracy_that_was_judged(store):
    put_performance(store, 0, "alert")
    note(store, 0)
    none = {"value": None, "low": None, "high": None, "n": 0, "reason": "no image of the sample has a label"}
    judged = {**samples.PERFORMANCE["judged"], "value": 0.5, "low": 0.4, "high": 0.6, "days": 2}
    put_performance(store, 1, "alert", accuracy=none, labels=0, judged=judged)
    episode = note(store, 1).open[0]
    assert episode.size == 0.5
    assert "accuracy 50 %" in since_line(episode, day(1))


def test_a_damaged_file_of_another_day_stops_nobody(store):
    put_drift(store, 0, drifted=True)
    note(store, 0)
    store.storage.write_bytes(store.day(day(0)).key(DayEpisodes), b"{half")
    put_drift(store, 1, drifted=True)
    assert note(store, 1).open[0].since == day(0)


def test_a_camera_on_which_the_model_is_worse_has_a_sign_of_its_own(store):
    share = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
    row = {"by": "camera", "name": "door-17", "images": 90, "labels": 40, "days": 1, "accuracy": {**share, "effective_n": 40}, "rest": share}  # fmt: skip
    put_performance(store, 0, "alert", own_verdict="ok", fired=False, segments=[{**row, "verdict": "alert"}])
    assert note(store, 0).of("performance").current == ("camera=door-17",)
    for number in (1, 2, 3):
        put_performance(store, number, "ok", segments=[{**row, "verdict": "ok"}])
    assert note(store, 3).of("performance").ended == "usual"


def test_a_worse_camera_alone_is_told_once_and_not_each_day(store):
    share = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
    row = {"by": "camera", "name": "door-17", "images": 90, "labels": 40, "days": 1, "accuracy": {**share, "effective_n": 40}, "rest": share}  # fmt: skip
    for number in (0, 1):
        put_performance(store, number, "ok", segments=[{**row, "verdict": "alert"}])
    told = about_model(store.day(day(0)), note(store, 0))
    assert isinstance(told, SegmentsGotWorse)
    assert told.episode is not None
    assert about_model(store.day(day(1)), note(store, 1)) is None
