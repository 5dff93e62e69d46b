"""Where the team trains elsewhere: the training set is handed over, and the model that comes back is taken up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.exceptions import AirflowSkipException

from driftwatch.config import MonitorConfig
from driftwatch.config.loader import monitor_named
from driftwatch_airflow.alerts import send_alert
from driftwatch_airflow.assets import tell_followers
from driftwatch_airflow.buttons import MonitorPageLink
from driftwatch_airflow.monitor import MonitorOperator
from driftwatch_airflow.operators.retraining import RetrainingOperator, requested_by
from driftwatch_airflow.task_docs import task_doc
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.lineage.datasets import Lineage


class HandOverOperator(RetrainingOperator):
    """Writes the training set for the team, with a manifest, and tells it. The champion keeps serving. A repeat writes nothing anew."""

    def execute(self, context: Context) -> XCom:
        from driftwatch.artifacts.alerts import TrainingSetHandedOver
        from driftwatch.models.handover import hand_over

        found = hand_over(self.requested(context), self.request, requested_by(context))
        days = {"first_day": found.first_day.isoformat(), "last_day": found.last_day.isoformat()}
        told = {"run_key": found.run_key, "url": found.place, **days, "images": found.set.rows}
        tell_followers(context, self.outlets, **told)
        facts = TrainingSetHandedOver(context["run_id"], found, self.monitor.retraining.handover_dag)
        send_alert(context, self.monitor, facts)
        return told

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.handed_over(self.store, self.request)


class TriggerHandoverOperator(TriggerDagRunOperator):
    """Triggers the team's own DAG, once for each run of the retraining DAG."""

    operator_extra_links = [*TriggerDagRunOperator.operator_extra_links, MonitorPageLink()]  # noqa: RUF012 - as the base has it

    def __init__(self, *, monitor: MonitorConfig, **kwargs: Any) -> None:
        given = {
            "trigger_dag_id": monitor.retraining.handover_dag,
            "trigger_run_id": monitor.name + "__{{ run_key(run_id) }}",
            "logical_date": None,
            "conf": {
                "place": "{{ ti.xcom_pull(task_ids='hand_over')['url'] }}",
                "monitor": monitor.name,
                "run_key": "{{ run_key(run_id) }}",
            },
            "skip_when_already_exists": True,
            "doc_md": task_doc(kwargs["task_id"]),
        }
        super().__init__(**{**given, **kwargs})


class TakeUpChallengerOperator(RetrainingOperator):
    """Takes up the challenger that the form names: it is compared with the champion on the evaluation images of the set that it was
    trained on. In a day's run, takes up the challenger that waits for evidence: the labels of the days since are added."""

    def execute(self, context: Context) -> str:
        from driftwatch.models.requests import alert_day
        from driftwatch.models.returned import take_up_challenger
        from driftwatch.models.waiting import NobodyWaits, take_up_waiting

        params, day = context["params"], alert_day(context["run_id"])
        store, asked_by = self.requested(context), requested_by(context)
        if day and params.get("challenger"):
            try:
                return take_up_waiting(store, self.request, day, asked_by).version
            except NobodyWaits as error:  # the day has no alert, so nothing is trained in its place
                raise AirflowSkipException(f"{params['challenger']} does not wait any more: {error}") from error
        if day:
            return take_up_waiting(store, self.request, day, asked_by).version
        return take_up_challenger(store, self.request, params["challenger"], asked_by).version

    def lineage(self) -> Lineage:
        from driftwatch.lineage import retraining

        return retraining.trained(self.store, self.request)


class RegisterChallengerOperator(MonitorOperator):
    """For the team's own DAG: registers the model that it trained on a set that was handed over. Returns its version, which the
    retraining DAG takes as `challenger`.

    :param monitor: the validated monitor file, or the monitor's name.
    :param file: the model's file on this machine, or its address in the monitor's storage, such as one in the place that was handed over.
    :param run_key: the retraining whose set it was trained on: `run_key` of the conf.
    :param by: who made it, for its card.
    """

    template_fields: Sequence[str] = ("file", "run_key", "by")

    def __init__(
        self,
        *,
        monitor: MonitorConfig | str,
        file: str,
        run_key: str = "{{ dag_run.conf['run_key'] }}",
        by: str = "{{ dag.dag_id }}, run {{ run_id }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor=monitor if isinstance(monitor, MonitorConfig) else monitor_named(monitor), **kwargs)
        self.file = file
        self.run_key = run_key
        self.by = by

    def execute(self, context: Context) -> str:
        from driftwatch.models.own_model import examine_version
        from driftwatch.models.returned import register_challenger
        from driftwatch.view.expected import wrong_challenger_words

        version = register_challenger(self.store, self.file, self.run_key, self.by)
        if wrong := wrong_challenger_words(examine_version(self.store, version), version):
            self.log.warning("%s", wrong)
        return version
