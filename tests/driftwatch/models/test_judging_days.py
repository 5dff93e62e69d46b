"""Which earlier days judge a challenger: those of the change that goes on, and the usual ones."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import ONLY_JUDGED, SET
from driftwatch.artifacts.retraining import ChallengerNote
from driftwatch.models import judging_days, registry
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.gate import _asked
from driftwatch.models.judging_days import Verdicts, days_told_apart, earlier_days

FIRST = date(2026, 1, 1)
SAID = {"a": Verdicts("alert", "drifted"), "o": Verdicts("ok", "ok"), "d": Verdicts("ok", "drifted"), "n": Verdicts("not_enough_evidence", "ok")}  # fmt: skip


def chosen(days: str, monkeypatch: pytest.MonkeyPatch, world, back: int = 60) -> str:
    """Which days of `days` are chosen, one letter each, where the last two are trained on: a letter, or . for none."""
    store = monitor_store(world.storage, world.layout, world.with_config(evaluation_days_back=back).config)
    dates = [FIRST + timedelta(days=number) for number in range(len(days))]
    monkeypatch.setattr(type(store), "days", lambda self: dates)
    monkeypatch.setattr(judging_days, "verdicts_of", lambda store, day: SAID[days[dates.index(day)]])
    monkeypatch.setattr(judging_days, "has_images", lambda store, day: True)
    found = earlier_days(store, dates[-2], dates[-1])
    return "".join(name if day in found else "." for name, day in zip(days, dates, strict=True))


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("ooaaaaa", "ooaaa.."),  # all days since the change began, and the usual days before
        ("aaooaa", "aaoo.."),  # two days that are ok end no change
        ("aaoooaaa", "..oooa.."),  # three do
        ("ooondaa", "ooo...."),  # what is neither usual nor an alert judges nothing
        ("aaooo", "..o.."),  # after a change, its days judge nothing any more
        ("aanaa", "aa..."),
    ],
)
def test_days_of_the_change_and_usual_days_are_chosen(days, found, monkeypatch, world) -> None:
    assert chosen(days, monkeypatch, world) == found


def test_they_go_back_as_many_days_as_the_setting_says(monkeypatch, world) -> None:
    assert chosen("ooooooaa", monkeypatch, world, back=2) == "....oo.."
    assert chosen("ooooooaa", monkeypatch, world, back=0) == "........"


@pytest.fixture
def days(world):
    """Two usual days and three with an alert, of which the last alone is trained on."""
    dates = [FIRST + timedelta(days=number) for number in range(5)]
    for day, verdict in zip(dates, ["ok", "ok", "alert", "alert", "alert"], strict=True):
        world.add_day(day, 30, verdict=verdict)
    return dates


def test_their_evaluation_images_judge_and_none_of_them_is_trained_on(world, days) -> None:
    store = monitor_store(world.storage, world.layout, world.config)
    collect_training_set(store, "r1", days[-1], days[-1])
    table, earlier = (store.storage.read_table(store.keys.retraining("r1", name)) for name in (SET, ONLY_JUDGED))
    assert set(table["day"]) == {"", days[-1].isoformat()}
    assert set(earlier["split"]) == {"evaluation"}
    assert not set(earlier["image_id"]) & set(table["image_id"])
    assert days_told_apart(store, earlier) == (
        [day.isoformat() for day in days[2:4]],
        [day.isoformat() for day in days[:2]],
    )
    champion = registry.champion_version(store)
    asked = _asked(store, "r1", ChallengerNote(version=champion, parent=champion, requested_by="alice"))
    assert (asked.recent_days, asked.clean_days) == (tuple(days[2:]), tuple(days[:2]))
    judged = pd.concat([earlier, table[table["split"] == "evaluation"]])
    assert sorted(asked.labelled["image_id"]) == sorted(judged["image_id"])


def test_the_same_set_is_collected_whether_earlier_days_judge_or_not(world, days) -> None:
    with_them = monitor_store(world.storage, world.layout, world.config)
    without = monitor_store(world.storage, world.layout, world.with_config(evaluation_days_back=0).config)
    collect_training_set(without, "r1", days[-1], days[-1])
    collect_training_set(with_them, "r2", days[-1], days[-1])
    first, second = (world.storage.read_bytes(world.layout.retraining(run, SET)) for run in ("r1", "r2"))
    assert first == second
    assert not world.storage.exists(world.layout.retraining("r1", ONLY_JUDGED))


def test_a_set_that_is_collected_again_without_earlier_days_leaves_none_that_judge(world, days) -> None:
    with_them = monitor_store(world.storage, world.layout, world.config)
    without = monitor_store(world.storage, world.layout, world.with_config(evaluation_days_back=0).config)
    collect_training_set(with_them, "r1", days[-1], days[-1])
    assert world.storage.exists(world.layout.retraining("r1", ONLY_JUDGED))
    collect_training_set(without, "r1", days[-1], days[-1])
    assert not world.storage.exists(world.layout.retraining("r1", ONLY_JUDGED))
