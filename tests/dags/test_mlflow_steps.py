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
    assert set(dag.task_ids) - set(plain.task_ids) - {"retraining_done"} == set(steps)
    for name, upstream in steps.items():
        task = dag.get_task(name)
        assert upstream <= task.upstream_task_ids
        assert task.downstream_task_ids == set()
        assert task.doc_md


@pytest.mark.parametrize("others", [{}, {"notifiers": [{"notifier": "a.B"}]}, {"retraining": {"handover_dag": "ours"}}])
@pytest.mark.parametrize("file", STEPS)
def test_a_run_that_failed_is_failed_though_the_steps_that_tell_others_end_it_well(root, file, others):
    """A run's state is that of its leaves: one of them fails with any step that leads to an end without telling."""
    make = runpy.run_path(str(root / "dags" / f"{file}.py"))[STEPS[file][0]]
    settings = {**SMALLEST, "registry": {"mlflow": {"connection": "mlflow_default"}}, **others}
    dag = make(MonitorConfig.model_validate(settings))
    steps = {task.task_id: task for task in dag.tasks if not task.task_id.startswith("tell_")}
    ends = {name for name, task in steps.items() if not task.downstream_task_ids & set(steps)}
    assert len(ends) == 1
    (done,) = (steps[name] for name in ends)
    assert (done.task_id, done.trigger_rule) in {("day_done", "none_failed"), ("retraining_done", "none_failed")}
    assert {task.task_id for task in dag.leaves} - {done.task_id} <= set(dag.task_ids) - set(steps)


@pytest.mark.parametrize("file", STEPS)
def test_with_notifiers_a_move_of_the_alias_is_told_after_mlflow_was_asked(root, file):
    make = runpy.run_path(str(root / "dags" / f"{file}.py"))[STEPS[file][0]]
    notifiers = [{"notifier": "a.B"}]
    tell = make(WITH.model_copy(update={"notifiers": notifiers})).get_task("tell_models")
    assert (tell.upstream_task_ids, tell.downstream_task_ids) == ({"tell_mlflow"}, set())
    plain = make(MonitorConfig.model_validate({**SMALLEST, "notifiers": notifiers}))
    assert "tell_models" not in plain.task_ids
