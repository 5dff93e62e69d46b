"""A day of several shards, by the tasks of the DAG itself."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import DownstreamTasksSkipped

from driftwatch.artifacts.keys import MonitorKeys

from .first_task import TaskInstance, photo

DAY = "2026-11-20"
LAYOUT = MonitorKeys("cats_vs_dogs")


@pytest.fixture
def day_of(delivered, root, monkeypatch):
    """Runs the DAG's own first task and those of the shards, with blocks of two files."""
    from airflow.dag_processing.dagbag import DagBag

    from driftwatch.images import ingest, one_pass, shards

    for module in (ingest, one_pass, shards):
        monkeypatch.setattr(module, "BLOCK", 2)
    dag = DagBag(str(root / "dags")).dags["cats_vs_dogs_monitoring"]

    def operator(task_id: str, shard_size: int, **mapped: Any) -> Any:
        task = dag.get_task(task_id)
        task = task.unmap(mapped) if mapped else task
        images = task.monitor.images.model_copy(update={"shard_size": shard_size})
        task.monitor, task.day = task.monitor.model_copy(update={"images": images}), DAY
        return task

    return operator


def test_a_day_of_one_shard_skips_the_tasks_for_several_at_once(delivered, day_of):
    delivered.deliver(one=photo(1), two=photo(2), three=photo(3))
    ti = TaskInstance()
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        day_of("ingest_images", 4).execute({"dag_run": SimpleNamespace(run_type="manual"), "ti": ti})
    assert skipped.value.tasks == ["ingest_shards", "merge_shards", "profile_shards", "predict_shards"]
    assert ti.xcom["counts"]["accepted"] == 3


def test_a_larger_day_is_mapped_over_shards_named_in_the_ui(delivered, day_of):
    delivered.deliver(one=photo(1), two=photo(2), three=photo(3), zebra=photo(1))
    whole = delivered.ingest(shard_size=4)
    context = {"dag_run": SimpleNamespace(run_type="manual"), "ti": TaskInstance()}
    shards = json.loads(json.dumps(day_of("ingest_images", 2).execute(context)))
    assert [shard["name"] for shard in shards] == ["shard 1 of 2, files 1 to 2", "shard 2 of 2, files 3 to 4"]
    counts = [day_of("ingest_shards", 2, shard=shard).execute({}) for shard in shards]
    assert [found["accepted"] for found in counts] == [2, 2]
    assert day_of("merge_shards", 2).execute({}) == whole
    assert whole["duplicate"] == 1


def test_where_there_are_more_shards_than_tasks_a_task_takes_several_and_the_day_is_the_same_to_the_byte(
    delivered, day_of, monkeypatch
):
    from driftwatch.images import shards

    delivered.deliver(**{f"photo-{number:02d}": photo(number % 9) for number in range(13)})
    whole = delivered.ingest(shard_size=20)
    keys = LAYOUT.day(date.fromisoformat(DAY))
    written = {item.key: delivered.storage.read_bytes(item.key) for item in delivered.storage.list(keys.folder)}
    monkeypatch.setattr(shards, "MOST_BATCHES", 3)
    context = {"dag_run": SimpleNamespace(run_type="manual"), "ti": TaskInstance()}
    batches = json.loads(json.dumps(day_of("ingest_images", 2).execute(context)))
    assert [batch["name"] for batch in batches] == [
        "shards 1 to 3 of 7, files 1 to 6", "shards 4 to 6 of 7, files 7 to 12", "shard 7 of 7, files 13 to 13"
    ]  # fmt: skip
    counts = [day_of("ingest_shards", 2, shard=batch).execute({}) for batch in reversed(batches)]
    assert [sum(found.values()) for found in counts] == [1, 6, 6]
    assert day_of("merge_shards", 2).execute({}) == whole
    assert (whole["accepted"], whole["duplicate"]) == (9, 4)
    assert {item.key: delivered.storage.read_bytes(item.key) for item in delivered.storage.list(keys.folder)} == written
