"""The steps of a day whose labels come from a table: waiting without a worker, scoring again as labels come, and one correction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from airflow.sdk.exceptions import AirflowSkipException
from tests.driftwatch.artifacts import samples
from tests.driftwatch.labels.table_days import DAY, by_table, files_of, put_csv, rows_of

from driftwatch.artifacts.decision import RetrainingDecision
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.artifacts.nested_keys import ALERT_RUN_PREFIX
from driftwatch.images import judged
from driftwatch.images.features import COLUMNS
from driftwatch.images.judged import JudgedImages, keeping_answers
from driftwatch.labels.table import UnknownLabels
from driftwatch.labels.table_check import CheckedDay
from driftwatch_airflow.operators.label_table import (
    CheckCorrectionOperator,
    CompareWithPeopleOperator,
    FollowLabelsOperator,
    MergeTableOperator,
    WaitForTableOperator,
)
from driftwatch_airflow.operators.performance import alone
from driftwatch_airflow.operators.publish import PublishOperator

from .table_site import END, MORNING, Site, context, deferral


def test_the_wait_looks_once_a_day_until_enough_labels_are_there_or_it_is_too_late(site):
    wait = site.task(WaitForTableOperator)
    site.put(20)
    assert deferral(wait.execute, context()) == MORNING + timedelta(days=1)
    site.clock.now = END - timedelta(hours=3)
    assert deferral(wait.look, context(), {}) == END
    site.put(48)
    assert wait.look(context(), {}) == {"labels": 48, "images": 60, "open": True}
    site.put(20)
    site.clock.now = END
    assert wait.look(context(), {}) == {"labels": 20, "images": 60, "open": False}


def test_a_table_that_cannot_be_read_is_asked_again_soon_and_one_that_is_wrong_fails_at_once(site, monkeypatch):
    def away(*_: Any) -> Any:
        raise ConnectionError("no route to the database")

    wait = site.task(WaitForTableOperator)
    with monkeypatch.context() as patch:
        patch.setattr("driftwatch.labels.table.read_labels", away)
        assert deferral(wait.execute, context()) == MORNING + timedelta(minutes=10)
        site.clock.now = END
        with pytest.raises(ConnectionError):
            wait.look(context(), {})
    put_csv(site.day, "a.csv", rows_of(files_of(site.day)).assign(truth="cow"))
    with pytest.raises(UnknownLabels, match="60 of 60 labels are no class: cow"):
        wait.execute(context())


def test_a_dry_run_says_how_many_labels_there_are_and_waits_for_none(site):
    site.put(20)
    with pytest.raises(AirflowSkipException, match="20 of 60 images have a label now"):
        site.task(WaitForTableOperator).execute(context(dry_run=True))
    assert not site.day.has(LabelTable)


def test_the_day_is_scored_again_at_each_look_and_each_other_result_is_kept(site):
    site.put(48)
    site.task(MergeTableOperator).execute(context())
    follow = site.task(FollowLabelsOperator)
    assert deferral(follow.execute, context()) == MORNING + timedelta(days=1)
    first = site.performance
    assert (first.labels, first.truth.open, first.verdict) == (48, True, "ok")

    deferral(follow.look, context(), {})  # nothing new: nothing changes
    assert site.performance == first

    site.put(55)
    deferral(follow.look, context(), {})
    site.put(60)
    done = follow.look(context(), {})
    assert (done["labels"], site.performance.truth.open) == (60, False)
    assert [earlier.labels for earlier in site.performance.revisions] == [48, 55]
    assert "60 of 60 images have a label in the table, no more are waited for" in (
        site.day.storage.read_bytes(site.day.keys.report).decode()
    )


def test_a_label_that_was_corrected_in_the_table_is_taken_in_though_their_number_is_the_same(site):
    site.put(60)
    site.task(MergeTableOperator).execute(context())
    site.task(FollowLabelsOperator).execute(context())
    before = site.performance.accuracy.value
    rows = rows_of(files_of(site.day))
    put_csv(site.day, "a.csv", rows.assign(truth=rows["truth"].map({"cat": "dog", "dog": "cat"})))
    site.task(FollowLabelsOperator).execute(context())
    assert site.performance.accuracy.value == pytest.approx(1 - before)


@pytest.mark.parametrize("operator", [MergeTableOperator, FollowLabelsOperator])
def test_a_task_that_waited_for_another_has_what_the_table_says_then(site, operator):
    """Else labels that were read before the other's would have the last word."""
    site.put(60)
    with ThreadPoolExecutor(1) as pool:
        with alone(site.day):
            waiting = pool.submit(site.task(operator).execute, context())
            assert not wait([waiting], 2).done
            rows = rows_of(files_of(site.day)).assign(truth="cat")
            put_csv(site.day, "a.csv", rows)
        waiting.result(60)
    assert set(site.day.storage.read_table(site.day.keys.labels)["label"]) == {"cat"}


def test_the_end_of_the_wait_is_written_down_even_if_no_label_came(site):
    site.put(48)
    follow = site.task(FollowLabelsOperator)
    deferral(follow.execute, context())
    site.clock.now = END
    follow.look(context(), {})
    assert (site.performance.truth.open, site.performance.labels) == (False, 48)


def test_a_kill_between_the_labels_and_the_verdict_ends_in_the_same_artifacts(site, monkeypatch):
    site.put(60)
    site.task(FollowLabelsOperator).execute(context())
    whole = site.performance
    site.put(50)
    deferral(site.task(FollowLabelsOperator).execute, context())
    site.put(60)

    def killed(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("driftwatch.accuracy.evaluate.evaluate_day", killed)
        with pytest.raises(KeyboardInterrupt):
            site.task(FollowLabelsOperator).execute(context())
    assert (site.day.read(LabelTable).labelled, site.performance.labels) == (60, 50)
    site.task(FollowLabelsOperator).execute(context())
    assert site.performance.model_copy(update={"revisions": ()}) == whole.model_copy(update={"revisions": ()})


@pytest.fixture
def large_site(site, monkeypatch):
    """The day as one that is judged by a sample of 40 images."""
    day = site.day
    storage, keys = day.storage, day.keys
    monkeypatch.setattr(judged, "MOST", 40)
    sample = JudgedImages()
    sample.add(storage.read_arrow(keys.manifest), storage.read_arrow(keys.features).select(["image_id", *COLUMNS]))
    ingest = storage.read_json(keys.ingest)
    storage.write_json(keys.ingest, {**ingest, "accepted": 60, "judged": sample.write(day)})
    answers = storage.read_arrow(keys.predictions)
    with keeping_answers(day, answers.schema, None) as kept:
        kept.add_table(answers)
    yield site
    people = CheckedDay(day.monitor, day.date).keys.labels
    for key in (keys.judged, keys.judged_predictions, keys.judged_embeddings, keys.annotation, people):
        storage.delete(key)
    storage.write_json(keys.ingest, ingest)


def test_people_who_were_asked_after_a_large_days_table_was_complete_are_compared_with_it(large_site):
    """The day's labels are those of its sample then, and few of the people's images are in it."""
    site, day = large_site, large_site.day
    site.put(60)
    site.task(MergeTableOperator).execute(context())
    site.task(FollowLabelsOperator).execute(context())
    assert (site.performance.labels, site.performance.truth.of_images) == (40, 60)

    ids = day.storage.read_table(day.keys.features)["image_id"]
    others = sorted({*ids} - {*day.storage.read_table(day.keys.judged)["image_id"]})[:3]
    plan = {**samples.PLAN, "sample": [{"image_id": each, "key": "-"} for each in others], "supplements": []}
    day.storage.write_json(day.keys.annotation, plan)
    people = pd.DataFrame({"image_id": others, "label": "cat", "status": "consensus", "votes": 3})
    day.storage.write_table(CheckedDay(day.monitor, day.date).keys.labels, people)
    compare = site.task(CompareWithPeopleOperator)
    compare.execute(context())
    check = site.performance.table_check
    assert (check.sampled, check.agreement.n) == (3, 3)
    assert (site.performance.labels, [earlier.labels for earlier in site.performance.revisions]) == (43, [40])
    compare.execute(context())
    assert [earlier.labels for earlier in site.performance.revisions] == [40]


def publish(site: Site, changed: str) -> list[dict[str, Any]]:
    config = by_table(site.day.config.storage.uri)
    operator = PublishOperator(task_id="upload", monitor=config, day=str(DAY), kind="performance", changed=changed)
    return operator.execute(context())


def test_the_correction_is_published_once_and_a_repeated_first_upload_leaves_it(site):
    site.put(50)
    deferral(site.task(FollowLabelsOperator).execute, context())
    assert [row["state"] for row in publish(site, "keep")] == ["uploaded"]
    site.put(60)
    site.task(FollowLabelsOperator).execute(context())
    assert publish(site, "keep") == []
    assert [(row["state"], row["revision"]) for row in publish(site, "revise")] == [("revised", 2)]
    assert [(row["state"], row["revision"]) for row in publish(site, "revise")] == [("skipped", 2)]
    assert [row["state"] for row in publish(site, "keep")] == ["skipped"]


def test_an_alert_of_the_correction_starts_one_retraining_of_the_day_and_none_of_a_model_that_serves_no_more(site):
    site.put(60)
    site.task(FollowLabelsOperator).execute(context())
    asked: list[str] = []

    class Recorded(CheckCorrectionOperator):
        def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
            return branches_to_execute

    def choose(runs: int, champion: str) -> str | None:
        site.day.storage.write_json(site.day.monitor.keys.champion, {"version": champion, "previous": None})
        site.day.write(site.performance.model_copy(update={"verdict": "alert", "severity": "warning"}))
        check = Recorded(
            task_id="check_correction",
            monitor=by_table(site.day.config.storage.uri),
            day=str(DAY),
            on_alert="retrain_after_correction",
            on_ok="correction_ok",
        )
        count = lambda dag_id, run_ids, states: asked.extend(run_ids) or runs  # noqa: E731
        found = {
            "dag_run": SimpleNamespace(run_type="scheduled"),
            "params": {},
            "ti": SimpleNamespace(get_dr_count=count),
        }
        return check.execute(found)

    assert choose(0, "v1") == "retrain_after_correction"
    started = site.day.read(RetrainingDecision)
    assert started.run_id == f"{ALERT_RUN_PREFIX}{DAY}"
    assert choose(1, "v1") is None
    assert site.day.read(RetrainingDecision) == started, "the run that was started stays known"
    site.day.storage.delete(site.day.keys.decision)
    assert choose(0, "v2") is None
    assert "does not serve any more" in site.day.read(RetrainingDecision).held
    assert set(asked) == {f"{ALERT_RUN_PREFIX}{DAY}"}
    site.day.storage.delete(site.day.monitor.keys.active_retraining)


def test_a_kill_at_any_write_of_a_look_and_a_repeat_end_in_the_same_files(site, monkeypatch):
    keys = site.day.keys
    files = [keys.labels, keys.assignments, keys.performance, keys.performance_profile, site.day.key(LabelTable)]

    def look() -> None:
        site.task(FollowLabelsOperator).execute(context())

    def written() -> list[bytes]:
        return [site.day.storage.read_bytes(key) for key in files]

    site.put(60)
    look()
    before = {key: site.day.storage.read_bytes(key) for key in files}
    rows = rows_of(files_of(site.day))
    put_csv(site.day, "a.csv", rows.assign(truth=["cat"] * 3 + list(rows["truth"][3:])))
    writes: list[str] = []
    plain = type(site.day.storage).write_bytes

    def at(stop: int | None) -> None:
        """Ends the process at the write with this number; without one, all are counted."""

        def write(self: Any, key: str, data: bytes, *more: Any) -> None:
            writes.append(key)
            if stop is not None and len(writes) > stop:
                raise KeyboardInterrupt
            plain(self, key, data, *more)

        monkeypatch.setattr(type(site.day.storage), "write_bytes", write)

    at(None)
    look()
    whole, number = written(), len(writes)
    assert number >= len(files)
    for stop in range(number):
        monkeypatch.setattr(type(site.day.storage), "write_bytes", plain)
        for key, data in before.items():
            site.day.storage.write_bytes(key, data)
        writes.clear()
        at(stop)
        with pytest.raises(KeyboardInterrupt):
            look()
        monkeypatch.setattr(type(site.day.storage), "write_bytes", plain)
        look()
        assert written() == whole, stop
