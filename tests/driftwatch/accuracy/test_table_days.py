"""Days whose labels come from a table: what is claimed of them, and what they say to later days and to a retraining."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from tests.driftwatch.labels.table_days import DAY, SOON, answered_day, by_table, files_of, outside, put_csv, rows_of
from tests.driftwatch.view.conftest import SIDE, answers_of
from tests.stores import SMALLEST

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.accuracy.history import days_before
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.models import ModelCard
from driftwatch.config import MonitorConfig
from driftwatch.config.model import ModelConfig
from driftwatch.labels.consensus import merge_day
from driftwatch.labels.table import read_labels, write_labels
from driftwatch.labels.table_check import CheckedDay, check_of
from driftwatch.models.human_labels import HumanLabels
from driftwatch.models.splits import known_splits
from driftwatch.view.label_table import labels_line
from driftwatch.view.report import write_report
from driftwatch.view.report.facts import gather
from driftwatch.view.verdicts import reasons


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return answered_day(by_table(f"file://{tmp_path_factory.mktemp('table')}"))


def scored(day, labels: int, now=SOON, **table) -> Performance:
    """The day's performance by the first labels of the table."""
    day = day.with_config(by_table(day.config.storage.uri, **table))
    put_csv(day, "a.csv", rows_of(files_of(day)[:labels]))
    write_labels(day, read_labels(day, outside(day.config), now))
    holdout = day.monitor.read(day.monitor.keys.model_card("v1"), ModelCard).metrics.holdout.accuracy
    found = evaluate_day(day, holdout, in_words=reasons)
    assert day.read(Performance) == found
    return found


def test_a_complete_table_is_judged_like_peoples_labels_and_is_not_corrected_for_errors_that_nobody_knows(day):
    found = scored(day, 60)
    assert (found.verdict, found.labels, found.sampled, found.unanswered) == ("ok", 60, 60, 0)
    assert found.accuracy.numbers is not None
    assert (found.judged.kind, found.label_error) == ("measured", None)
    assert "nothing tells how often labels are wrong" in found.corrected.reason
    assert (found.truth.covers, found.truth.labelled, found.truth.open) == ("all", 60, False)
    assert (found.agreement.alpha, found.agreement.annotators) == (None, 0)


def test_from_a_part_that_nobody_knows_how_it_was_chosen_no_interval_is_claimed_and_nothing_is_proved(day):
    found = scored(day, 40, covers="unknown")
    assert found.verdict == "not_enough_evidence"
    shares = [found.accuracy, found.judged, *(row.recall for row in found.classes.values())]
    assert all(share.value is not None and share.low is None and share.high is None for share in shares)
    (said,) = found.reasons
    assert "of the labelled images are answered right on 40 labels. That says nothing of the other images" in said
    assert "labels.table.covers is unknown" in said
    assert (found.policy.floor, found.policy.drop, found.fired, found.evidence) == (None, None, False, None)


def test_a_table_of_all_images_that_lacks_too_many_claims_no_interval_until_they_have_come(day):
    early = scored(day, 20)
    assert (early.verdict, early.accuracy.low) == ("not_enough_evidence", None)
    later = scored(day, 50)
    assert (later.verdict, later.accuracy.low is None) == ("ok", False)
    assert [(earlier.labels, earlier.verdict) for earlier in later.revisions][-1] == (20, "not_enough_evidence")


def test_a_random_part_has_an_interval_that_the_scores_of_the_other_images_may_sharpen(day):
    found = scored(day, 40, covers="random")
    assert (found.sampled, found.unanswered, found.verdict) == (40, 0, "ok")
    assert found.accuracy.numbers is not None
    assert found.evidence.scores.rest_n == 20


def test_a_day_without_an_interval_says_nothing_to_later_days_and_one_of_a_table_is_no_day_of_people(day):
    scored(day, 40, covers="unknown")
    assert days_before(day.monitor, DAY + timedelta(days=1)) == []
    scored(day, 60)
    (past,) = days_before(day.monitor, DAY + timedelta(days=1))
    assert past.from_table


def test_labels_of_a_table_train_a_model_only_where_they_stand_for_all_images(day):
    scored(day, 40, covers="unknown")
    config = day.config.model_copy(update={"model": ModelConfig(input_size=SIDE)})
    labels = HumanLabels(config, set())
    labels.add(day.monitor, str(DAY), known_splits(day.monitor))
    assert labels.left_out["not_random"] == 40
    scored(day, 60)
    labels = HumanLabels(config, set())
    splits = labels.add(day.monitor, str(DAY), known_splits(day.monitor))
    assert "not_random" not in labels.left_out
    assert len(labels.usable(splits)) + labels.left_out["near_two_splits"] == 60


def test_a_day_stays_one_of_a_table_whatever_the_monitor_file_names_later_until_people_have_labelled_it(day):
    by_people = MonitorConfig.model_validate({**SMALLEST, "storage": {"uri": day.config.storage.uri}})
    config = by_people.model_copy(update={"model": ModelConfig(input_size=SIDE)})
    before = scored(day, 40, covers="unknown")
    of_people = day.with_config(by_people)
    again = evaluate_day(of_people, before.holdout_accuracy, in_words=reasons)
    assert (again.truth, again.verdict) == (before.truth, "not_enough_evidence")
    write_report(of_people)
    labels = HumanLabels(config, set())
    labels.add(of_people.monitor, str(DAY), known_splits(day.monitor))
    assert labels.left_out["not_random"] == 40

    manifest = day.storage.read_table(day.keys.manifest)
    ids = manifest.loc[manifest["status"] == "accepted", "image_id"].tolist()
    truth = [name[:3] for name in files_of(day)]
    day.storage.write_table(day.keys.assignments, answers_of(ids, truth, np.random.default_rng(0)))
    merge_day(of_people, ids)
    found = evaluate_day(of_people, before.holdout_accuracy, in_words=reasons)
    assert (found.truth, found.accuracy.numbers is None) == (None, False)
    for config in (by_people, day.config):  # and one of people, if the file names the table again
        facts = gather(day.with_config(config))
        assert (len(facts.annotators), facts.label_table) == (10, None)
    day.storage.delete(day.keys.annotators)


def test_a_day_without_any_label_is_no_evidence_and_has_a_report(day):
    found = scored(day, 0)
    assert (found.verdict, found.labels, found.content_hash) == ("not_enough_evidence", 0, None)
    assert found.reasons == ("0 labels; a verdict needs 30 (performance.min_labels).",)
    write_report(day)


def put_people(day, images: int, wrong: int) -> None:
    """People's labels of the first images, some other than the table's."""
    names = files_of(day)[:images]
    manifest = day.storage.read_table(day.keys.manifest)
    truth = [name[:3] for name in names]
    said = ["dog" if label == "cat" else "cat" for label in truth[:wrong]] + truth[wrong:-1] + [None]
    ids = manifest.loc[manifest["status"] == "accepted", "image_id"].head(images)
    checked = CheckedDay(day.monitor, day.date)
    day.storage.write_table(checked.keys.labels, pd.DataFrame({"image_id": ids, "label": said}, dtype=object))


def test_people_who_check_the_table_say_how_often_it_is_right_and_on_which_images_they_differ(day):
    scored(day, 60)
    assert check_of(day) is None
    put_people(day, 21, wrong=2)
    found = scored(day, 60)
    check = found.table_check
    assert (check.sampled, check.by_people, check.agreement.n) == (21, 20, 20)
    assert check.agreement.value == pytest.approx(0.9)
    assert check.agreement.low == pytest.approx(0.699, abs=0.001)  # Wilson's, for 18 of 20
    assert {(row.table, row.people) for row in check.differing} <= {("cat", "dog"), ("dog", "cat")}
    assert len(check.differing) == 2
    assert (found.labels, found.accuracy.n) == (60, 60)  # people decide nothing else
    write_report(day)
    page = day.storage.read_bytes(day.keys.report).decode()
    assert "The table agrees with people" in page
    assert "90 % [70, 97], on 20 images; 20 of 21 have a label by people" in page
    day.storage.delete(CheckedDay(day.monitor, day.date).keys.labels)


def test_the_report_and_the_alerts_say_what_came_and_that_more_may_come(day):
    found = scored(day, 20)
    write_report(day)
    page = day.storage.read_bytes(day.keys.report).decode()
    assert "20 of 60 images have a label in the table, more may come until 2026-02-05 00:00 UTC" in page
    assert "every image, sooner or later" in page
    assert "20 rows of 1 file = 20 used" in page
    assert "of the labelled images, floor 70 %" in page
    assert labels_line(found) == "20 of 60 images (from a table, more may come until 2026-02-05 00:00 UTC"
    assert date(2026, 2, 5) == found.truth.until.date()
