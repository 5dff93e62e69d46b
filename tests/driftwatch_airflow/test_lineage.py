"""What OpenLineage's provider gets of a step, and that nothing happens without the provider."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from airflow.providers.openlineage import conf
from openlineage.client.serde import Serde

from driftwatch.lineage.datasets import Check, Dataset, Lineage
from driftwatch_airflow import lineage
from driftwatch_airflow.monitor import MonitorOperator
from driftwatch_airflow.operators.features import ProfileFeaturesOperator

FOUND = Lineage(
    (
        Dataset("s3://b", "m/features.parquet", 54, 900, None, (Check("drift", False, "entropy", "p > 0.01", "p = 0"),),
                {"entropy": {"0.5": 7.5}}),
        Dataset("file", "/m/unknown"),
    ),
    (Dataset("file", "/m/labels.parquet", rows=20),),
)  # fmt: skip
# They choose, wait, tell people or change a setting.
WITHOUT_DATASETS = {
    "ChooseActionOperator", "ShowPlanOperator", "EndDayOperator", "TellOperator", "TellFailureOperator", "TellRetrainingOperator",
    "TellModelsOperator", "TellMlflowOperator", "TriggerRetrainingOperator", "TriggerHandoverOperator", "ApprovePromotionOperator",
    "EmptyOperator",
}  # fmt: skip


def end(step: MonitorOperator) -> None:
    """As Airflow ends a step that succeeded."""
    for callback in step.on_success_callback:
        callback({"task": step})


def not_asked() -> Lineage:
    pytest.fail("nobody is told, and it was asked for")


def test_without_the_provider_nothing_is_asked_for_and_nothing_breaks(monkeypatch, monitor):
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage", None)
    assert lineage.collected("step", not_asked) is None
    step = ProfileFeaturesOperator(task_id="profile_features", monitor=monitor, day="2026-11-20")
    step.pre_execute({})
    end(step)  # there is no artifact of the day, and nobody misses it


def test_without_a_transport_nothing_is_asked_for():
    assert conf.is_disabled()  # as the tests' Airflow is set up
    assert lineage.collected("step", not_asked) is None


def test_a_step_whose_lineage_cannot_be_told_ends_well_and_says_so(monkeypatch, monitor, caplog):
    monkeypatch.setattr(conf, "is_disabled", lambda: False)
    step = ProfileFeaturesOperator(task_id="profile_features", monitor=monitor, day="2026-11-20")
    step.pre_execute({})
    end(step)
    assert "The lineage of profile_features cannot be told" in caplog.text
    assert "drift.json" in caplog.text
    told = step.get_openlineage_facets_on_complete(None)
    assert (told.inputs, told.outputs) == ([], [])


def test_rows_bytes_verdicts_and_quantiles_are_facets_by_openlineage_s_own_names(monkeypatch, monitor):
    monkeypatch.setattr(conf, "is_disabled", lambda: False)
    step = MonitorOperator(task_id="profile_features", monitor=monitor)
    step.pre_execute({})
    monkeypatch.setattr(MonitorOperator, "lineage", lambda _: FOUND)
    end(step)
    told = step.get_openlineage_facets_on_complete(None)
    (features, unknown), (labels,) = (
        [json.loads(Serde.to_json(each)) for each in side] for side in (told.inputs, told.outputs)
    )
    assert (features["namespace"], features["name"]) == ("s3://b", "m/features.parquet")
    facets = features["inputFacets"]
    assert (facets["inputStatistics"]["rowCount"], facets["inputStatistics"]["size"]) == (54, 900)
    (check,) = facets["dataQualityAssertions"]["assertions"]
    assert (check["assertion"], check["success"], check["column"], check["actual"], check["severity"]) == (
        "drift", False, "entropy", "p = 0", "warn"
    )  # fmt: skip
    assert facets["dataQualityMetrics"]["columnMetrics"]["entropy"]["quantiles"] == {"0.5": 7.5}
    assert unknown["inputFacets"] == {}
    assert labels["outputFacets"]["outputStatistics"]["rowCount"] == 20


def test_every_step_of_a_day_and_of_a_retraining_tells_its_datasets_or_is_known_to_have_none(root: Path, monitor):
    sys.path.insert(0, str(root / "dags"))
    try:
        import image_monitoring
        import model_retraining
    finally:
        sys.path.pop(0)
    page = (root / "docs/operate/lineage.md").read_text(encoding="utf-8")
    for dag in (image_monitoring.monitoring_dag(monitor), model_retraining.retraining_dag(monitor)):
        for task in dag.tasks:
            name = task.task_type
            kind = task.operator_class if hasattr(task, "operator_class") else type(task)
            tells = getattr(kind, "lineage", MonitorOperator.lineage) is not MonitorOperator.lineage
            assert tells is (name not in WITHOUT_DATASETS), task.task_id
            if tells:
                assert f"`{task.task_id}`" in page, task.task_id
