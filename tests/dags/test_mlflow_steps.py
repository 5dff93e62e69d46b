"""With `registry.mlflow` both DAGs have steps that show the versions there, and nothing waits for them."""

from __future__ import annotations

import runpy

import pytest
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig

WITH = MonitorConfig.model_validate({**SMALLEST, "registry": {"mlflow": {"connection": "mlflow_default"}}})
WITHOUT = MonitorConfig.model_validate(SMALLEST)
STEPS = {
    "image_monitoring": ("monitoring_dag", {"tell_mlflow": {"ingest_images"}}),
    "model_retraining": (
        "retraining_dag",
        {
            "tell_mlflow_challenger": {"train_challenger", "take_up_challenger"},
            "tell_mlflow": {"show_plan", "keep_champion", "refresh_reference", "hand_over"},
        },
    ),
}


@pytest.mark.parametrize("file", STEPS)
def test_the_steps_are_leaves_and_come_with_the_setting_alone(root, file):
    maker, steps = STEPS[file]
    make = runpy.run_path(str(root / "dags" / f"{file}.py"))[maker]
    dag, plain = make(WITH), make(WITHOUT)
    assert set(dag.task_ids) - set(plain.task_ids) == set(steps)
    for name, upstream in steps.items():
        task = dag.get_task(name)
        assert upstream <= task.upstream_task_ids
        assert task.downstream_task_ids == set()
        assert task.doc_md
