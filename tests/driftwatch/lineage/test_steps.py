"""What each step read and wrote, of a day and a retraining that lie in a storage (tests/data/artifacts_0_1)."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.lineage import day as of_day
from driftwatch.lineage import retraining, verdicts
from driftwatch.lineage.datasets import Dataset
from driftwatch.storage import open_storage

REQUEST = "perf_alert__2026-01-08"


@pytest.fixture
def store(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(root / "tests/data/artifacts_0_1", tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    return monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("cats_vs_dogs"), monitor)


def names(found: tuple[Dataset, ...]) -> list[str]:
    return [each.name.rpartition("cats_vs_dogs/")[2] if each.namespace == "file" else f"{each.namespace} {each.name}" for each in found]  # fmt: skip


def test_a_days_steps_tell_rows_verdicts_and_what_lies_outside(store):
    day = store.day(date(2026, 1, 8))
    place = "days/2026-01-08"
    taken_in = of_day.taken_in(day)
    assert names(taken_in.inputs) == ["incoming/2026-01-08"]
    assert names(taken_in.outputs) == [f"{place}/{name}" for name in ("manifest.parquet", "features.parquet", "ingest.json", "inputs")]  # fmt: skip
    manifest = store.storage.read_table(day.keys.manifest)
    assert taken_in.outputs[0].rows == len(manifest)
    assert taken_in.outputs[0].bytes == store.storage.size(day.keys.manifest)

    features = of_day.profiled(day).inputs[0]
    drift = day.read(DayDrift)
    whole = next(check for check in features.checks if check.name == "image_quality_drift")
    assert whole.passed is (drift.whole == "ok")
    assert features.columns[drift.features[0].feature]["0.5"] == drift.features[0].day_quantiles[2]

    sampled = drift.model_copy(update={"of_images": 3_000_000})
    assert verdicts.quantiles_of(sampled) == {}  # they would stand beside the count of all rows

    predicted = of_day.predicted(day)
    assert names(predicted.outputs)[0] == f"{place}/predictions.parquet"
    assert {check.name for check in predicted.inputs[-1].checks} >= {"content_drift"}
    labelled = of_day.labelled(day)
    assert [name.split("/")[-1] for name in names(labelled.outputs)] == ["assignments.parquet", "labels.parquet", "annotators.parquet"]  # fmt: skip
    assert names(labelled.inputs)[-1].startswith("toloka://toloka_default pools/")
    (accuracy,) = (check for check in of_day.evaluated(day).inputs[0].checks if check.name == "accuracy")
    assert accuracy.passed is False
    assert any(name.startswith("whylabs://") for name in names(of_day.published(day, "performance").outputs))


def test_the_steps_of_a_retraining_tell_the_days_of_its_labels_and_the_gates_decision(store):
    store.storage.write_table(store.keys.retraining(REQUEST, "set.parquet"), store.storage.read_table(store.day(date(2026, 1, 8)).keys.labels))  # fmt: skip
    assert "days/2026-01-08/labels.parquet" in names(retraining.collected(store, REQUEST).inputs)
    trained = retraining.trained(store, REQUEST)
    assert names(trained.inputs)[1:] == ["models/v0001-2f099e5a/card.json"]
    assert names(trained.outputs) == ["models/v0002-9db22f6a/card.json"]
    (gate,) = retraining.gated(store, REQUEST).inputs
    assert [(check.name, check.passed) for check in gate.checks] == [("gate", True)]
    assert names(retraining.compared(store, REQUEST).outputs) == [f"retraining/{REQUEST}/gate.json"]
    assert names(retraining.promoted(store, REQUEST).outputs) == ["models/champion.json"]
    assert names(retraining.rolled_back(store).outputs) == ["models/champion.json"]
    assert names(retraining.reference_renewed(store).inputs) == ["models/champion.json"]


def test_what_has_not_enough_evidence_is_neither_passed_nor_failed():
    drift = DayDrift.model_validate_json(samples_json(samples.TOO_SMALL_DAY))
    assert [check for check in verdicts.of_features(drift) if check.name == "image_quality_drift"] == []
    performance = Performance.model_validate_json(samples_json(samples.NO_LABELS))
    assert [*verdicts.of_performance(performance)] == []


def samples_json(sample: dict[str, object]) -> str:
    import json

    return json.dumps(sample)
