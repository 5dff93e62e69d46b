"""What OpenLineage's provider gets of a step, and that nothing happens without the provider."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from airflow.providers.openlineage import conf
from openlineage.client.serde import Serde
from tests.airflow_database import new_database

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


# A step that waits in the triggerer, in Airflow's own task runner.
WAITING = """
import os
from datetime import datetime, timedelta, timezone
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import DAG
from driftwatch.config.loader import load_monitor
from driftwatch_airflow.sensors.annotation import WaitForAnnotationsOperator

class Waits(WaitForAnnotationsOperator):
    def execute(self, context):
        moment = datetime.now(timezone.utc) + timedelta(seconds=1)
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="go_on")

    def go_on(self, context, event):
        return "went on"

with DAG("waiting", schedule=None) as dag:
    Waits(task_id="wait_for_annotations", monitor=load_monitor(os.environ["MONITOR"]), day="2026-01-08")

if __name__ == "__main__":
    import waiting
    run = waiting.dag.test()
    assert str(run.state).endswith("success"), run.state
"""


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


@pytest.mark.slow
def test_a_step_that_waited_in_the_triggerer_tells_its_datasets_when_it_has_ended(tmp_path, root, tmp_path_factory):
    new_database(tmp_path_factory, tmp_path / "airflow.db")
    shutil.copytree(root / "tests/data/artifacts_0_1", tmp_path / "storage")
    raw = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8"))
    raw["storage"] = {"uri": f"file://{tmp_path}/storage"}
    (tmp_path / "monitor.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    for folder in ("dags", "events"):
        (tmp_path / folder).mkdir()
    (tmp_path / "dags/waiting.py").write_text(WAITING, encoding="utf-8")
    env = os.environ | {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW__CORE__DAGS_FOLDER": str(tmp_path / "dags"),
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": f"{tmp_path}/events/event"}),
        "AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT": "60",
        "MONITOR": str(tmp_path / "monitor.yaml"),
    }
    done = subprocess.run(
        [sys.executable, "waiting.py"], cwd=tmp_path / "dags", env=env, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    events = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "events").iterdir()]
    of_step = [event for event in events if event["job"]["name"] == "waiting.wait_for_annotations"]
    (ended,) = (event for event in of_step if event["eventType"] == "COMPLETE")
    plan, pool = ended["inputs"]
    assert plan["name"].endswith("days/2026-01-08/annotation.json")
    assert (pool["namespace"], pool["name"].split("/")[0]) == ("toloka://toloka_default", "pools")
