"""Waits for the day's annotators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.links import LabelSpendLink, MonitorPageLink, TolokaPoolLink
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.operators.annotation import short_pool_error
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger
from driftwatch_airflow.ui import pages_path

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class AnnotationCompleteSensor(DayOperator):
    """Defers until the day's pool is closed, then judges how it ended.

    A pool that closed as COMPLETED is a success. Any other end, or the deadline, goes by `annotation.on_short_pool`. It is an
    operator that defers from the start, since rescheduled sensors lose a race in Airflow 3.3 (apache/airflow#71172).
    """

    operator_extra_links = (MonitorPageLink(), TolokaPoolLink(), LabelSpendLink())

    def execute(self, context: Context) -> dict[str, Any]:
        plan = self.storage.read_json(self.keys.annotation)
        hook = TolokaHook(self.monitor.annotation.connection)
        TolokaPoolLink().store(self, context, hook.pool_url(plan["project_id"], plan["pool_id"]))
        LabelSpendLink().store(self, context, f"{pages_path()}/m/{self.monitor.name}/days/{self.day}/#spend")
        pool = hook.get_conn().get_pool(plan["pool_id"])
        if not pool.is_open():
            reason = pool.last_close_reason.value if pool.last_close_reason else None
            return self._judge(context, plan, reason)
        self._progress(context, plan)
        annotation, storage = self.monitor.annotation, self.monitor.storage
        self.defer(
            trigger=AnnotationCompleteTrigger(
                toloka_conn_id=annotation.connection,
                pool_id=plan["pool_id"],
                deadline=plan["expires"],
                poll_seconds=annotation.poll_seconds,
                images=len(plan["sample"]),
                overlap=plan["overlap"],
                fee_share=annotation.fee_share,
                max_cost=annotation.max_cost_per_day,
                storage_uri=storage.uri,
                storage_connection=storage.connection,
                progress_key=self.keys.annotation_progress,
            ),
            method_name="resume",
        )

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Called when the trigger has fired."""
        plan = self.storage.read_json(self.keys.annotation)
        why = {"closed": event["reason"], "deadline": "the deadline", "over_budget": "annotation.max_cost_per_day"}
        return self._judge(context, plan, why[event["state"]])

    def _progress(self, context: Context, plan: dict[str, Any]) -> dict[str, Any]:
        """Coverage and spend: to the log, to storage, and to the task's XCom, which is what Airflow's UI shows of a waiting task."""
        from driftwatch.annotation.collect import progress

        annotation = self.monitor.annotation
        client = TolokaHook(annotation.connection).get_conn()
        done = progress(client, plan["pool_id"], len(plan["sample"]), plan["overlap"], annotation.fee_share)
        self.storage.write_json(self.keys.annotation_progress, done)
        context["ti"].xcom_push(key="progress", value=done["text"])
        self.log.info("Pool %s: %s", plan["pool_id"], done["text"])
        return done

    def _judge(self, context: Context, plan: dict[str, Any], reason: str | None) -> dict[str, Any]:
        done = self._progress(context, plan)
        annotation = self.monitor.annotation
        if reason != "COMPLETED":
            use = annotation.on_short_pool == "use_if_enough"
            if not use or done["coverage"] < annotation.min_coverage:
                hook = TolokaHook(annotation.connection)
                error = short_pool_error(self.day, str(reason), done, annotation.min_coverage if use else None)
                links = {"Toloka pool": hook.pool_url(plan["project_id"], plan["pool_id"])}
                facts = {"day": self.day, "reason": str(error), "links": links, **done}
                send_alert(context, self.monitor, "short_pool", facts)
                raise error
            self.log.warning(
                "The pool ended with %s; its coverage of %.0f %% is enough", reason, 100 * done["coverage"]
            )
        nothing_to_tell(self.monitor, self.day, "short_pool")
        self.storage.write_json(
            self.keys.annotation, {**plan, "state": "closed", "close_reason": reason, "progress": done}
        )
        return {"close_reason": reason, "coverage": done["coverage"], "spent": done["spent"]}
