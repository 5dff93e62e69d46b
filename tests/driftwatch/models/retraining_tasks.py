"""The tasks of a retraining as Airflow runs them one after the other, without the branches' skipping."""

from __future__ import annotations

from typing import Any

from driftwatch.config import MonitorConfig
from driftwatch_airflow.operators import promotion
from driftwatch_airflow.operators import retraining as tasks

RUN = "perf_alert__2026-01-04"


class Choose(tasks.ChooseActionOperator):
    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        return branches_to_execute


class Collect(tasks.CollectTrainingSetOperator):
    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        return branches_to_execute


KINDS: dict[str, tuple[Any, dict[str, str]]] = {
    "choose": (Choose, {"on_plan": "p", "on_rollback": "b", "on_retrain": "r", "on_challenger": "c"}),
    "collect": (Collect, {"on_train": "t", "on_handover": "h"}),
    "train": (tasks.TrainChallengerOperator, {}),
    "evaluate": (tasks.EvaluateChallengerOperator, {}),
    "promote": (promotion.PromoteModelOperator, {}),
    "refresh": (promotion.RefreshReferenceOperator, {}),
}


def run_task(monitor: MonitorConfig, task: str) -> None:
    kind, more = KINDS[task]
    context = {"params": {"last_day": "2026-01-04", "reason": "killed again and again"}, "run_id": RUN}
    kind(task_id="task", monitor=monitor, request=RUN, **more).execute(context)
