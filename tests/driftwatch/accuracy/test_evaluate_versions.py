"""Days that production itself answered: the verdict is the serving version's, each version has a row, and nothing is scored that has no answer."""

from __future__ import annotations

from datetime import date

import pytest
from tests.driftwatch.artifacts.checks import read_whole
from tests.driftwatch.models.versions import logged, serving
from tests.stores import day_store, monitor_store

from driftwatch.accuracy.later_days import outdated
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.drift.whylogs_profiles import confusion_counts, read_profile
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.storage import Storage

from .days import CARD, evaluated, with_settings
from .version_days import write_versions

TWO = {"7": (0.75, 0.95), "8": (0.25, 0.7)}
THREE = {"7": (0.5, 0.95), "8": (0.3, 0.95), "9": (0.2, 0.7)}


def test_two_versions_are_told_apart_and_the_verdict_is_about_the_one_with_most_answers(
    storage: Storage, monitor: MonitorConfig
) -> None:
    day = write_versions(storage, monitor, 5, TWO)
    found = evaluated(storage, day, monitor)
    seven, eight = found.versions
    assert (found.model_version, found.serving_version, seven.version, eight.version) == ("v1", "7", "7", "8")
    assert seven.answered + eight.answered == 600
    assert seven.labels + eight.labels == 200 == found.sampled
    assert (found.verdict, found.labels, found.judged) == ("ok", seven.labels, seven.judged)
    assert found.accuracy.value == pytest.approx(0.95, abs=0.05)
    assert eight.difference.finding == "worse"
    assert eight.difference.low < -0.25 < eight.difference.high
    assert found.confusion_matrix.rows == seven.evidence.confusion
    measured = evaluated(storage, day, with_settings(monitor, judge="measured")).versions[1]
    assert (
        measured.judged.effective_n > measured.labels == eight.labels
    )  # its scores sharpen it, those of its own images
    assert eight.evidence.scores.rest_n == eight.answered - eight.labels
    again = evaluated(storage, day, monitor)
    assert read_whole(storage, day.performance, Performance) == again


def test_three_versions_of_which_one_is_named(storage: Storage, monitor: MonitorConfig) -> None:
    named = serving(monitor, "9")
    named = with_settings(named, policy=("floor", "drop"))
    found = evaluated(storage, write_versions(storage, named, 5, THREE), named)
    assert [row.version for row in found.versions] == ["9", "7", "8"]
    assert (found.serving_version, found.labels) == ("9", found.versions[0].labels)
    assert found.verdict in ("alert", "not_enough_evidence")  # its 70 % is at the floor, and below the holdout
    assert found.policy.drop.fires
    assert [row.difference and row.difference.finding for row in found.versions] == [None, "better", "better"]


def test_a_named_version_that_answered_nothing_fails_the_evaluation(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_versions(storage, monitor, 5, TWO)
    with pytest.raises(NeedsAttention, match=r"model\.serving_version is 6, which answered no image"):
        evaluated(storage, day, serving(monitor, "6"))


def test_the_published_profile_is_the_serving_versions(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_versions(storage, monitor, 5, TWO)
    found = evaluated(storage, day, monitor)
    counts = confusion_counts(read_profile(storage.read_bytes(day.performance_profile)))
    assert counts is not None
    assert counts["counts"] == [*map(list, found.confusion_matrix.rows)]


def test_the_registered_model_alone_leaves_nothing_of_versions(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_versions(storage, monitor, 5, {"v1": (1.0, 0.9)})
    evaluated(storage, day, monitor)
    written = storage.read_json(day.performance)
    assert {"serving_version", "versions", "unpredicted"}.isdisjoint(written)


def test_evaluated_twice_gives_the_same_bytes(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_versions(storage, monitor, 5, THREE)
    written = []
    for _ in range(2):
        evaluated(storage, day, monitor)
        written.append(storage.read_bytes(day.performance))
    assert written[0] == written[1]


def test_another_version_of_production_is_judged_without_the_days_of_the_one_before(
    storage: Storage, monitor: MonitorConfig
) -> None:
    found = {}
    for number, version in ((5, "7"), (6, "7"), (7, "8"), (8, "8")):
        day = write_versions(storage, monitor, number, {version: (1.0, 0.9)}, labels=20)
        found[number] = evaluated(storage, day, monitor)
    assert found[6].pooled_days == (date(2026, 1, 5), date(2026, 1, 6))
    assert found[7].pooled_days == (date(2026, 1, 7),)
    assert (found[7].verdict, found[7].serving_version, found[7].versions) == ("not_enough_evidence", "8", ())
    assert found[8].pooled_days == (date(2026, 1, 7), date(2026, 1, 8))


def test_a_small_canary_is_known_by_the_stored_days_before(storage: Storage, monitor: MonitorConfig) -> None:
    shares = {"7": (0.92, 0.95), "8": (0.08, 0.5)}
    for number in range(5, 9):
        found = evaluated(storage, write_versions(storage, monitor, number, shares, labels=150), monitor)
    eight = found.versions[1]
    assert eight.labels < 30 <= eight.judged.n
    assert (eight.difference.finding, eight.judged.days > 1) == ("worse", True)


def test_a_later_day_is_judged_again_as_its_serving_version_was(storage: Storage, monitor: MonitorConfig) -> None:
    store = monitor_store(storage, MonitorKeys("demo"), monitor)
    storage.write_json(store.keys.model_card("v1"), CARD)
    days = [evaluated(storage, write_versions(storage, monitor, number, TWO), monitor) for number in (5, 6)]
    assert outdated(store, days) == []
    # With another serving version in the monitor file, it is not the verdict that the days would get.
    now = outdated(monitor_store(storage, MonitorKeys("demo"), serving(monitor, "8")), days)
    again = {
        found.day: found
        for found in (evaluated(storage, DayKeys("demo", day.day), serving(monitor, "8")) for day in days)
    }
    assert [(found.day, found.verdict, found.now) for found in now] == [
        (day.day, "ok", again[day.day].verdict) for day in days if again[day.day].verdict != "ok"
    ]
    assert now


def test_an_earlier_result_names_the_version_that_it_was_about(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_versions(storage, monitor, 5, TWO)
    evaluated(storage, day, monitor)
    again = evaluated(storage, day, serving(monitor, "8"))
    assert [earlier.model_version for earlier in again.revisions] == ["7"]


def test_labelled_images_that_production_did_not_answer_are_counted_and_not_scored(
    storage: Storage, monitor: MonitorConfig
) -> None:
    config = logged(monitor)
    day = write_versions(storage, config, 5, TWO)
    predictions = storage.read_table(day.predictions)
    whole = evaluated(storage, day, config)
    storage.write_table(day.predictions, predictions.iloc[10:])
    found = evaluated(storage, day, config)
    assert (found.unpredicted, found.sampled) == (10, 200)
    assert sum(row.labels for row in found.versions) == 190
    assert whole.unpredicted is None
    assert found.accuracy.value == pytest.approx(whole.accuracy.value, abs=0.03)


def test_forgetting_an_image_that_production_did_not_answer_changes_nothing(
    storage: Storage, monitor: MonitorConfig
) -> None:
    config = logged(monitor)
    day = write_versions(storage, config, 5, TWO)
    predictions, name = storage.read_table(day.predictions), FORGOTTEN + "0" * 48
    unanswered = storage.read_table(day.labels)["image_id"][0]
    storage.write_table(day.predictions, predictions[predictions["image_id"] != unanswered])
    storage.write_table(day.features, predictions[["image_id"]])
    before = evaluated(storage, day, config)
    for key in (day.assignments, day.labels, day.features):
        table = storage.read_table(key)
        storage.write_table(key, table.assign(image_id=table["image_id"].replace(unanswered, name)))
    found = evaluated(storage, day, config)
    assert (found.sampled, found.unpredicted) == (before.sampled, before.unpredicted) == (200, 1)


def test_only_a_log_may_lack_an_answer(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_versions(storage, monitor, 5, TWO)
    answers = storage.read_table(day.predictions)
    storage.write_table(day.features, answers[["image_id"]])
    storage.write_table(day.predictions, answers.iloc[10:])
    with pytest.raises(DriftwatchError, match=r"10 labelled image.*clear predict_labels$"):
        evaluated(storage, day, monitor)


def test_a_day_without_any_answer_is_refused(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_versions(storage, monitor, 5, TWO)
    storage.write_table(day.predictions, storage.read_table(day.predictions).iloc[:0])
    with pytest.raises(DriftwatchError, match="no image of the day has an answer"):
        evaluated(storage, day, logged(monitor))


@pytest.mark.parametrize("how", ["no column", "one is missing"])
def test_without_scores_all_but_the_sharpening_works(storage: Storage, monitor: MonitorConfig, how: str) -> None:
    day = write_versions(storage, monitor, 5, TWO, scores=how == "one is missing")
    if how == "one is missing":
        predictions = storage.read_table(day.predictions)
        predictions.loc[predictions.groupby("model_version").head(1).index, ["score.cat", "score.dog"]] = None
        storage.write_table(day.predictions, predictions)
    found = evaluated(storage, day, monitor)
    assert found.evidence.scores.n == 0
    assert found.effective_labels == found.labels
    measured = evaluated(storage, day, with_settings(monitor, judge="measured"))
    assert [row.judged.effective_n for row in measured.versions] == [row.labels for row in found.versions]
    assert found.versions[1].difference.finding == "worse"
    assert storage.exists(day.performance_profile)


def test_days_with_and_without_scores_are_judged_together_by_their_labels(
    storage: Storage, monitor: MonitorConfig
) -> None:
    one = {"7": (1.0, 0.9)}
    for number, scores in ((5, False), (6, True)):
        day: DayKeys = write_versions(storage, monitor, number, one, labels=25, scores=scores)
        found = evaluated(storage, day, monitor)
    assert (found.judged.n, found.judged.days) == (50, 2)
    right = sum(
        day_store(storage, DayKeys("demo", date(2026, 1, n)), monitor).read(Performance).accuracy.value for n in (5, 6)
    )
    assert found.judged.value == pytest.approx(right / 2, abs=0.02)
