"""What is over by `storage.keep`, what stays though it is over, and that nothing else is touched."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.images.days import MODEL, photo
from tests.killed_write import killed_write

from driftwatch.artifacts.keys import DATASET_CARD, GATE, SET
from driftwatch.artifacts.store import MonitorStore
from driftwatch.images.ingest import cut_into_shards, ingest_day, ingest_shard, merge_shards
from driftwatch.images.inputs import DayInputs
from driftwatch.images.listing import list_day
from driftwatch.retention.plan import KINDS, keep_plan
from driftwatch.retention.removal import keep_daily, remove
from driftwatch.storage import open_storage
from driftwatch.storage.file import FileStorage

TODAY = date(2026, 6, 30)
OLD, NEW = date(2026, 1, 8), date(2026, 6, 29)
ALL = dict.fromkeys(KINDS, 30)
EVER = ("manifest.parquet", "features.parquet", "predictions.parquet", "labels.parquet", "performance.json", "annotation.json", "inputs/index.json")  # fmt: skip
OVER = {
    "inputs": ["inputs/000000.npy", "inputs/000001.npy"],
    "shown": ["shown/aa.jpg", "shown/covered/aa.jpg"],
    "answers": ["annotators.parquet", "assignments.parquet", "check_annotators.parquet", "check_assignments.parquet"],
    "profiles": ["features.profile.bin", "performance.bin", "published/features-0a.bin"],
    "reports": ["report.html"],
    "leftovers": ["shards/0000.images.parquet"],
}


@pytest.fixture
def make(tmp_path, small_monitor):
    """A store with an old and a new day, each with all files, by the settings `keep`."""

    def store_of(keep: dict[str, Any], **more: Any) -> MonitorStore:
        storage = open_storage(f"file://{tmp_path}")
        store = MonitorStore(storage, small_monitor(storage.uri, **more))
        config = store.config.model_copy(
            update={"storage": store.config.storage.model_validate({"uri": storage.uri, "keep": keep})}
        )
        store = store.with_config(config)
        for day in (OLD, NEW):
            for name in (*EVER, *(name for names in OVER.values() for name in names)):
                storage.write_bytes(store.keys.day(day).file(name), b"12345")
            ledger = {**samples.LEDGER, "uploads": [{**row, "state": "done"} for row in samples.LEDGER["uploads"]]}
            storage.write_json(store.keys.day(day).published, ledger)
            storage.write_json(store.keys.day(day).inputs_index, samples.INPUTS_INDEX)
            storage.write_json(store.keys.day(day).annotation, {**samples.PLAN, "state": "closed"})
        return store

    return store_of


def names(store: MonitorStore, day: date) -> set[str]:
    folder = f"{store.keys.days}/{day}/"
    return {item.key.removeprefix(folder) for item in store.storage.list(folder.rstrip("/"))}


def test_without_the_setting_everything_stays(make):
    plan = keep_plan(make({}), TODAY)
    assert (plan.over, plan.still, plan.bytes) == ((), (), 0)


@pytest.mark.parametrize("kind", KINDS)
def test_of_an_old_day_each_kind_goes_by_its_own_setting_and_nothing_else(make, kind):
    store = make({kind: 30})
    plan = keep_plan(store, TODAY)
    assert [(found.kind, found.day, found.bytes) for found in plan.over] == [(kind, OLD, 5)] * len(OVER[kind])
    before = names(store, OLD)
    remove(store, plan)
    assert before - names(store, OLD) == set(OVER[kind])
    assert keep_plan(store, TODAY).over == ()


def test_verdicts_manifest_labels_and_ledger_stay_and_new_days_are_whole(make):
    store = make(ALL)
    new = names(store, NEW)
    remove(store, keep_plan(store, TODAY))
    assert names(store, OLD) == {*EVER, "published.json"}
    assert names(store, NEW) == new


def test_the_last_day_that_stays_is_so_many_days_before_today(make):
    store = make({"reports": (TODAY - OLD).days})
    assert keep_plan(store, TODAY).over == ()
    assert len(keep_plan(store, TODAY + timedelta(days=1)).over) == 1


def test_a_plan_that_was_removed_half_is_gone_on_with(make):
    store = make(ALL)
    plan = keep_plan(store, TODAY)
    for found in plan.over[:4]:
        store.storage.delete(found.key)
    assert [found.key for found in keep_plan(store, TODAY).over] == [found.key for found in plan.over[4:]]
    remove(store, plan)
    assert keep_plan(store, TODAY).over == ()


@pytest.mark.parametrize(
    ("without", "kind", "why"),
    [
        ("predictions.parquet", "inputs", "its model has not answered it"),
        ("labels.parquet", "shown", "its labels are not merged"),
        ("performance.json", "answers", "it is not judged"),
        ("inputs/index.json", "leftovers", "the day is not whole"),
        ("predictions.parquet", "leftovers", "its model has not answered it"),
    ],
)
def test_a_day_that_is_not_done_keeps_what_it_needs(make, without, kind, why):
    store = make({kind: 30})
    store.storage.delete(store.keys.day(OLD).file(without))
    plan = keep_plan(store, TODAY)
    assert plan.over == ()
    assert [(found.kind, found.day, why in found.why) for found in plan.still] == [(kind, OLD, True)]


def test_what_is_not_published_yet_keeps_its_payload(make):
    store = make({"profiles": 30})
    rows = [{**row, "state": "waiting"} for row in samples.LEDGER["uploads"]]
    store.storage.write_json(store.keys.day(OLD).published, {"uploads": rows})
    (still,) = keep_plan(store, TODAY).still
    assert "is not published" in still.why


@pytest.mark.parametrize("kind", ["leftovers", "inputs"])
def test_a_large_day_that_is_just_taken_in_again_keeps_its_parts(make, kind):
    store = make({kind: 30})
    store.storage.write_json(store.keys.day(OLD).shard_plan, samples.SHARD_PLAN)
    plan = keep_plan(store, TODAY)
    assert plan.over == ()
    assert [(found.kind, found.day) for found in plan.still] == [(kind, OLD)]


@pytest.mark.parametrize("kind", ["leftovers", "inputs"])
def test_an_old_day_that_is_run_again_keeps_its_files_until_its_other_steps_are_done(make, kind):
    store = make({kind: 30})
    index = store.storage.local_path(store.keys.day(OLD).inputs_index)
    for days, stays in (
        (0, True),
        (1, True),
        (2, False),
        (-1, True),
        (-300, False),
    ):  # a clock that is wrong keeps nothing for ever
        taken_in = datetime.combine(TODAY - timedelta(days=days), time(23, 59), timezone.utc)
        os.utime(index, (0, taken_in.timestamp()))
        plan = keep_plan(store, TODAY)
        assert (bool(plan.over), [found.day for found in plan.still]) == (not stays, [OLD] * stays)
        assert all(f"it was taken in on {taken_in.date()}" in found.why for found in plan.still)


@pytest.mark.parametrize("shard_size", [20_000, 256], ids=["whole", "in shards"])
def test_an_old_day_keeps_what_its_run_is_just_writing(tmp_path, small_monitor, monkeypatch, shard_size):
    """The files of an old day are over as soon as they are written. The index comes after the blocks, and the plan after the lists of shards."""
    storage = open_storage(f"file://{tmp_path}")
    keep = {"uri": storage.uri, "keep": {"inputs": 30, "leftovers": 30}}
    store = MonitorStore(storage, small_monitor(storage.uri, storage=keep, images={"shard_size": shard_size}))
    day = store.day(OLD)
    for number in range(3 if shard_size > 256 else 260):
        storage.write_bytes(f"{day.keys.incoming}/{number}.jpg", photo(number))

    def run() -> None:
        if shard_size > 256:
            ingest_day(day, MODEL)
            return
        for shard in cut_into_shards(day, MODEL, list_day(day)):
            ingest_shard(day, shard)
        merge_shards(day)

    run()
    storage.write_bytes(day.keys.predictions, b"of the first run")
    storage.write_json(store.keys.day(NEW).ingest, samples.INGEST)  # no retraining goes back to the old day
    ago = datetime.combine(OLD, time(9), timezone.utc).timestamp()
    for item in storage.list(store.keys.days):
        os.utime(storage.local_path(item.key), (0, ago))
    write, writing, looks = FileStorage._write, FileStorage._writing, []

    def clear_away(path: str) -> None:
        looks.append(path)
        remove(store, keep_plan(store, datetime.now(timezone.utc).date()))

    def written(self, path, *args):
        write(self, path, *args)
        clear_away(path)

    @contextmanager
    def written_by_pieces(self, key):
        with writing(self, key) as file:
            yield file
        clear_away(key)

    monkeypatch.setattr(FileStorage, "_write", written)
    monkeypatch.setattr(FileStorage, "_writing", written_by_pieces)
    run()
    assert any(".npy" in path for path in looks)
    assert len(DayInputs(day)) == sum(len(block) for block in DayInputs(day).blocks())


def test_what_a_killed_write_left_goes_so_many_days_after_the_kill_wherever_it_lies(make):
    store = make({"leftovers": 30})
    left = [
        killed_write(store.storage, key, b"123")
        for key in (store.keys.day(OLD).manifest, store.keys.day(NEW).predictions, store.keys.training_set)
    ]
    for key, day in zip(left, (TODAY, OLD, OLD), strict=True):
        os.utime(store.storage.local_path(key), (0, datetime.combine(day, time(9), timezone.utc).timestamp()))
    found = {removal.key: removal.day for removal in keep_plan(store, TODAY).over}
    assert found == {left[1]: OLD, left[2]: OLD, store.keys.day(OLD).shard(0, "images.parquet"): OLD}
    remove(store, keep_plan(store, TODAY))
    assert [item.key for item in store.storage.unfinished(store.keys.monitor)] == left[:1]


def test_where_images_are_delivered_nothing_is_looked_through_or_removed(make):
    store = make({"leftovers": 30})
    left = killed_write(store.storage, f"{store.keys.incoming}/{OLD}/a.jpg", b"a camera's own")
    os.utime(store.storage.local_path(left), (0, 0))
    assert left not in {removal.key for removal in keep_plan(store, TODAY).over}


def test_the_copies_of_an_old_day_stay_while_people_answer_its_late_images(make):
    store = make({"shown": 30})
    late = {"number": 1, "images": 9, "share": 0.5}
    supplement = {**samples.PLAN, "state": "opened", "expires": "2026-07-01T08:00:00Z", "late": late}
    supplement["sample_size"] = {"images": 9}
    write = store.storage.write_json
    write(store.keys.day(OLD).annotation, {**samples.PLAN, "state": "closed", "supplements": [supplement]})
    (still,) = keep_plan(store, TODAY).still
    assert (still.day, still.why) == (OLD, "people may answer until 2026-07-01")
    assert len(keep_plan(store, TODAY + timedelta(days=2)).of("shown")) == len(OVER["shown"])


@pytest.mark.parametrize("kind", ["features", "performance"])
def test_a_profile_that_the_ledger_does_not_know_yet_stays(make, kind):
    store = make({"profiles": 30})
    rows = [{**row, "state": "done"} for row in samples.LEDGER["uploads"] if row["kind"] != kind]
    store.storage.write_json(store.keys.day(OLD).published, {"uploads": rows})
    plan = keep_plan(store, TODAY)
    assert plan.over == ()
    assert [found.why for found in plan.still] == [f"{kind} of {OLD} is not published"]


def test_days_that_a_retraining_may_take_keep_their_inputs(make):
    store = make({"inputs": 1})
    newest = store.days()[-1]
    taken = newest - timedelta(days=5)
    store.storage.write_bytes(store.keys.day(taken).inputs_block(0), b"1")
    store.storage.write_bytes(store.keys.day(taken).predictions, b"1")
    plan = keep_plan(store, TODAY)
    assert {found.day for found in plan.over} == {OLD}
    assert [(found.day, "a retraining takes days back to" in found.why) for found in plan.still] == [(taken, True)]


@pytest.mark.parametrize(("retraining", "held"), [({"days_back": 7, "evaluation_days_back": 0}, 7), ({}, 67)])
def test_inputs_of_large_days_are_held_for_as_long_as_the_documentation_says(make, retraining, held):
    """docs/operate/retention.md: for a week with both settings of `retraining`, for 67 days by their defaults."""
    store = make({"inputs": 7}, retraining=retraining)
    days = [TODAY - timedelta(days=number) for number in range(1, 81)]
    for day in days[1:]:
        store.storage.write_bytes(store.keys.day(day).inputs_block(0), b"1")
        store.storage.write_bytes(store.keys.day(day).predictions, b"1")
    over = {found.day for found in keep_plan(store, TODAY).over}
    assert [day for day in days if day not in over] == days[:held]


def test_the_days_of_a_retraining_under_way_keep_their_inputs_until_its_gate_has_decided(make):
    store = make({"inputs": 30})
    table = pd.DataFrame({"image_id": ["a", "b"], "day": ["", OLD.isoformat()]})
    store.storage.write_table(store.keys.retraining("run-1", SET), table)
    store.storage.write_json(store.keys.retraining("run-1", DATASET_CARD), samples.DATASET_CARD)
    (still,) = keep_plan(store, TODAY).still
    assert (still.day, still.why) == (OLD, "the retraining run-1 is not decided")
    store.storage.write_json(store.keys.retraining("run-1", GATE), samples.GATE)
    assert {found.day for found in keep_plan(store, TODAY).over} == {OLD}


def test_accepted_states_keep_the_inputs_of_their_days(make):
    store = make({"inputs": 30})
    decision = {"what": "accepted", "by": "ann", "at": "2026-01-09T08:00:00Z", "reason": "new lens"}
    state = {"name": "lens", "days": [OLD.isoformat()], "images": 9, "history": [decision]}
    store.storage.write_json(store.keys.state("lens"), state)
    assert keep_plan(store, TODAY).still[0].why == "the next model is asked about the accepted state lens"
    state["history"].append({**decision, "what": "withdrawn"})
    store.storage.write_json(store.keys.state("lens"), state)
    assert keep_plan(store, TODAY).still == ()


def test_checkpoints_go_with_the_last_day_of_an_ended_training(make):
    store = make({"leftovers": 30})
    of_run = store.keys.of_retraining("run-1")
    store.storage.write_json(store.keys.retraining("run-1", DATASET_CARD), samples.DATASET_CARD)
    store.storage.write_bytes(f"{of_run.checkpoints}/epoch-0001.keras", b"12")
    assert not [found for found in keep_plan(store, TODAY).over if "checkpoints" in found.key]
    store.storage.write_json(store.keys.retraining("run-1", GATE), samples.GATE)
    assert [found.bytes for found in keep_plan(store, TODAY).over if "checkpoints" in found.key] == [2]


def test_the_daily_task_only_says_what_is_over_until_it_may_remove_it(make, caplog):
    caplog.set_level("INFO")
    store = make({"reports": 30})
    assert len(keep_daily(store, TODAY).over) == 1
    assert "reports of 1 days are over, 1 files, 5 bytes" in caplog.text
    assert "nothing was removed, as storage.keep.remove is false" in caplog.text
    keep = store.config.storage.keep.model_copy(update={"remove": True})
    storage = store.config.storage.model_copy(update={"keep": keep})
    store = store.with_config(store.config.model_copy(update={"storage": storage}))
    assert len(keep_daily(store, TODAY).over) == 1
    assert keep_daily(store, TODAY).over == ()
