"""One day's evaluation: the right images are scored, counts add up, and the same artifacts give the same bytes."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import day_store

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.drift.whylogs_profiles import confusion_counts, read_profile
from driftwatch.errors import NeedsAttention
from driftwatch.labels.consensus import merge_day
from driftwatch.storage import Storage

from .days import DAY, SAMPLE, evaluated, write_day, write_small_day


def test_scores_the_labelled_sample_only_and_every_image_is_accounted_for(
    storage: Storage, monitor: MonitorConfig
) -> None:
    write_day(storage, monitor, answered=58)
    found = evaluated(storage, DAY, monitor)
    assert found.sampled == 60 == found.consensus + found.ties + found.unclear + found.unanswered
    assert (found.consensus, found.ties, found.unclear, found.unanswered) == (55, 1, 2, 2)
    assert found.labels == 55
    # Wrong are 0, 10, 15, … 55; 5 is unclear.
    assert found.confusion_matrix.rows == ((44, 11), (0, 0))
    assert found.accuracy.value == pytest.approx(44 / 55)
    assert found.classes["dog"].recall.value is None
    assert found == day_store(storage, DAY, monitor).read(Performance)
    assert found.agreement.unanimous == 1


def test_the_published_profile_holds_the_same_matrix_with_the_score_of_the_prediction(
    storage: Storage, monitor: MonitorConfig
) -> None:
    write_day(storage, monitor)
    found = evaluated(storage, DAY, monitor)
    counts = confusion_counts(read_profile(storage.read_bytes(DAY.performance_profile)))
    assert counts is not None
    assert counts["labels"] == ["cat", "dog"]
    assert counts["counts"] == [*map(list, found.confusion_matrix.rows)]


def test_evaluated_twice_gives_the_same_bytes(storage: Storage, monitor: MonitorConfig) -> None:
    write_day(storage, monitor)
    written = []
    for _ in range(2):
        evaluated(storage, DAY, monitor)
        written.append((storage.read_bytes(DAY.performance), storage.read_bytes(DAY.performance_profile)))
    assert written[0] == written[1]


def test_day_without_labels_has_no_verdict_and_leaves_no_profile_of_an_earlier_run(
    storage: Storage, monitor: MonitorConfig
) -> None:
    write_day(storage, monitor)
    evaluated(storage, DAY, monitor)
    write_day(storage, monitor, answered=0)
    found = evaluated(storage, DAY, monitor)
    assert (found.verdict, found.labels, found.unanswered) == ("not_enough_evidence", 0, 60)
    assert found.accuracy.value is None
    assert not storage.exists(DAY.performance_profile)


def test_label_without_a_prediction_is_refused(storage: Storage, monitor: MonitorConfig) -> None:
    write_day(storage, monitor)
    storage.write_table(DAY.features, storage.read_table(DAY.predictions)[["image_id"]])
    storage.write_table(DAY.predictions, storage.read_table(DAY.predictions).iloc[1:])
    with pytest.raises(NeedsAttention, match=r"1 labelled image.* the first is i000: clear predict_labels$"):
        evaluated(storage, DAY, monitor)


def test_a_labelled_image_that_is_gone_from_the_day_is_told_with_what_brings_it_back(
    storage: Storage, monitor: MonitorConfig
) -> None:
    """It was tried again for an hour, and `clear predict_labels` could not help: the image is none of the day's any more."""
    write_day(storage, monitor)
    left = storage.read_table(DAY.predictions).iloc[1:]
    storage.write_table(DAY.predictions, left)
    storage.write_table(DAY.features, left[["image_id"]])
    with pytest.raises(
        NeedsAttention, match=r"1 of them are in the day no more, .* clear ingest_images; .* gone for good, the verdict"
    ):
        evaluated(storage, DAY, monitor)


def test_the_verdict_rests_on_the_days_up_to_it_and_a_backfill_repeats_it(
    storage: Storage, monitor: MonitorConfig
) -> None:
    days = [write_small_day(storage, monitor, number, labels=12, wrong=6) for number in range(5, 12)]
    for day in days:
        evaluated(storage, day, monitor)
    first = [storage.read_bytes(day.performance) for day in days]
    for day in days:
        evaluated(storage, day, monitor)
    assert [storage.read_bytes(day.performance) for day in days] == first


def test_accuracy_is_corrected_by_control_tasks_and_measured_beside_it(
    storage: Storage, monitor: MonitorConfig
) -> None:
    day = write_small_day(storage, monitor, 5, labels=60, wrong=6)
    found = evaluated(storage, day, monitor)
    assert found.accuracy.value == pytest.approx(0.9)
    assert found.judged.kind == "corrected"
    assert found.label_error.value < 0.01  # 60 control answers, all right, and no disagreement
    assert abs(found.corrected.value - 0.9) < 0.02
    assert found.effective_labels == 60  # the model is as sure of its mistakes: its scores help nothing


def test_late_images_have_no_part_in_the_accuracy(storage: Storage, monitor: MonitorConfig) -> None:
    """Neither could the sample be drawn from them, nor do their scores sharpen it."""
    write_day(storage, monitor)
    on_time = [*SAMPLE, *(f"x{index}" for index in range(70))]
    for key, ids in ((DAY.sampled_manifest, on_time), (DAY.manifest, [*on_time, *(f"x{i}" for i in range(70, 100))])):
        storage.write_table(key, pd.DataFrame({"image_id": ids, "status": "accepted"}))
    with_late = evaluated(storage, DAY, monitor)
    assert with_late.evidence.scores.rest_n == 70
    predictions = storage.read_table(DAY.predictions)
    storage.write_table(DAY.predictions, predictions[predictions["image_id"].isin(on_time)])
    without = evaluated(storage, DAY, monitor)
    assert with_late.stands_for.images == 130
    same = {"revisions": (), "stands_for": with_late.stands_for}
    assert with_late == without.model_copy(update=same)


def test_the_accuracy_says_for_how_many_images_it_stands_and_a_supplement_makes_it_the_whole_day(
    storage: Storage, monitor: MonitorConfig
) -> None:
    write_day(storage, monitor)
    on_time, late = (
        [*SAMPLE[:40], *(f"x{index}" for index in range(60))],
        [*SAMPLE[40:], *(f"x{i}" for i in range(60, 100))],
    )
    for key, ids in ((DAY.sampled_manifest, on_time), (DAY.manifest, [*on_time, *late])):
        storage.write_table(key, pd.DataFrame({"image_id": ids, "status": "accepted"}))
    plan = {**samples.PLAN, "not_asked": {"images": len(late), "reason": "the day's limit is spent"}}
    storage.write_json(DAY.annotation, plan)
    found = evaluated(storage, DAY, monitor).stands_for
    assert (found.images, found.of, found.reason) == (100, 160, "the day's limit is spent")

    asked = {
        **samples.PLAN,
        "late": {"number": 1, "images": len(late), "share": 0.4, "surplus": SAMPLE[:10]},
        "pool_id": "2",
    }
    storage.write_json(DAY.annotation, {**samples.PLAN, "supplements": [asked]})
    storage.write_table(DAY.supplement(1), pd.DataFrame({"image_id": late}))
    whole = evaluated(storage, DAY, monitor)
    assert whole.stands_for is None
    assert (whole.sampled, whole.evidence.scores.rest_n) == (50, 110)


def test_control_tasks_that_annotators_agreed_on_before_tell_nothing_of_label_errors(
    storage: Storage, monitor: MonitorConfig
) -> None:
    """They were chosen for being easy: only those of the training set count."""
    layout = MonitorKeys("demo")
    write_day(storage, monitor)
    assignments = storage.read_table(DAY.assignments)
    known = assignments.head(40).assign(
        image_id=[f"{'set' if number % 4 == 0 else 'agreed'}{number}" for number in range(40)], control=True, known_label="cat",
        answer=["dog" if number % 4 == 0 else "cat" for number in range(40)],
    )  # fmt: skip
    storage.write_table(DAY.assignments, pd.concat([assignments, known], ignore_index=True))
    storage.write_table(layout.training_set, pd.DataFrame({"image_id": [f"set{number}" for number in range(0, 40, 4)]}))
    votes = evaluated(storage, DAY, monitor).evidence.votes
    assert (votes.control_right, votes.control_wrong) == ((0, 0), (10, 0))


def with_labels(monitor: MonitorConfig, **settings: object) -> MonitorConfig:
    return monitor.model_copy(update={"labels": monitor.labels.model_copy(update=settings)})


def test_votes_that_are_left_out_tell_neither_of_the_labels_nor_of_their_errors(
    storage: Storage, monitor: MonitorConfig
) -> None:
    """One of three annotators is wrong on all control tasks, and on half of the images."""
    day = write_small_day(storage, monitor, 5, labels=60, wrong=6)
    assignments = storage.read_table(day.assignments)
    poor = (assignments["annotator_id"] == "w0") & (assignments["control"] | (assignments.index % 2 == 0))
    storage.write_table(day.assignments, assignments.assign(answer=assignments["answer"].mask(poor, "dog")))
    found = {}
    for setting in (False, True):
        changed = with_labels(monitor, exclude_flagged=setting)
        merge_day(day_store(storage, day, changed), [f"d5-{index:03d}" for index in range(60)])
        found[setting] = evaluated(storage, day, changed)
    counted, left_out = (found[setting].evidence.votes for setting in (False, True))
    assert (sum(counted.control_wrong), counted.disagreement > 0, counted.sizes) == (20, True, {3: 60})
    assert (sum(left_out.control_wrong), left_out.disagreement, left_out.sizes) == (0, 0, {2: 60})
    assert found[True].label_error.value < 0.02 < found[False].label_error.value
    assert (found[True].agreement.annotators, found[True].agreement.votes) == (3, 120)


def test_labels_of_which_unclear_votes_were_set_aside_rest_on_the_votes_that_name_a_class(
    storage: Storage, monitor: MonitorConfig
) -> None:
    """On twelve of 60 images two of three annotators cannot tell: unclear as rivals, labelled by a single vote when set aside."""
    day = write_small_day(storage, monitor, 5, labels=60, wrong=6)
    assignments = storage.read_table(day.assignments)
    unsure = assignments["image_id"].isin([f"d5-{n:03d}" for n in range(12)]) & (assignments["annotator_id"] != "w2")
    storage.write_table(day.assignments, assignments.assign(answer=assignments["answer"].mask(unsure, "unclear")))
    for setting, labels, sizes in (("rival", 48, {3: 48}), ("set_aside", 60, {1: 12, 3: 48})):
        changed = with_labels(monitor, unclear_votes=setting)
        merge_day(day_store(storage, day, changed), [f"d5-{index:03d}" for index in range(60)])
        found = evaluated(storage, day, changed)
        assert (found.labels, found.evidence.votes.sizes) == (labels, sizes)
        assert found.unclear == 60 - labels
        assert (found.agreement.alpha is None) == (setting == "set_aside")  # all who named a class agree


@pytest.mark.parametrize("there", [True, False])
def test_a_forgotten_image_is_scored_as_long_as_the_day_has_it(
    storage: Storage, monitor: MonitorConfig, there: bool
) -> None:
    write_day(storage, monitor)
    before, name = evaluated(storage, DAY, monitor), FORGOTTEN + "0" * 48
    storage.write_table(DAY.features, storage.read_table(DAY.predictions)[["image_id"]])
    for key in (DAY.assignments, DAY.labels, DAY.predictions, DAY.features):
        table = storage.read_table(key)
        storage.write_table(key, table.assign(image_id=table["image_id"].replace(SAMPLE[10], name)))
    if not there:  # the day was taken in again, without the image's file
        for key in (DAY.predictions, DAY.features):
            table = storage.read_table(key)
            storage.write_table(key, table[table["image_id"] != name])
    found = evaluated(storage, DAY, monitor)
    assert (found.sampled, found.labels) == (before.sampled - (not there), before.labels - (not there))
    rows = ((before.confusion_matrix.rows[0][0], before.confusion_matrix.rows[0][1] - (not there)), (0, 0))
    assert found.confusion_matrix.rows == rows
    assert found.unpredicted is None
