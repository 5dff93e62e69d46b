"""Waits for the day's annotators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.links import LabelSpendLink, MonitorPageLink, TolokaPoolLink
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.operators.annotation import short_pool_error
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger, keep_progress
from driftwatch_airflow.ui import pages_path

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from toloka.client import Pool


class AnnotationCompleteSensor(DayOperator):
    """Defers until the day's pool is closed, then judges how it ended.

    A look that fails for a reason that may pass ends nothing: the trigger asks again until the pool's deadline. A pool that closed
    as COMPLETED is a success. Any other end, or the deadline, goes by `annotation.on_short_pool`. It is an
    operator that defers from the start, since rescheduled sensors lose a race in Airflow 3.3 (apache/airflow#71172).
    """

    operator_extra_links = (MonitorPageLink(), TolokaPoolLink(), LabelSpendLink())

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.labels.backends.toloka.pool import end_of

        plan = self.storage.read_json(self.keys.annotation)
        hook = TolokaHook(self.monitor.annotation.connection)
        TolokaPoolLink().store(self, context, hook.pool_url(plan["project_id"], plan["pool_id"]))
        LabelSpendLink().store(self, context, f"{pages_path()}/m/{self.monitor.name}/days/{self.day}/#spend")
        pool = self._look(context, plan)
        if pool is not None and not pool.is_open():
            reason = pool.last_close_reason.value if pool.last_close_reason else None
            return self._judge(context, plan, reason)
        annotation, storage = self.monitor.annotation, self.monitor.storage
        self.defer(
            trigger=AnnotationCompleteTrigger(
                toloka_conn_id=annotation.connection,
                pool_id=plan["pool_id"],
                deadline=end_of(pool, plan).isoformat() if pool else plan["expires"],
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
        from driftwatch.errors import NeedsAttention

        if event["state"] == "refused":
            raise NeedsAttention(event["reason"])
        plan = self.storage.read_json(self.keys.annotation)
        why = {"closed": event["reason"], "deadline": "the deadline", "over_budget": "annotation.max_cost_per_day"}
        return self._judge(context, plan, why[event["state"]])

    def _look(self, context: Context, plan: dict[str, Any]) -> Pool | None:
        """The pool, and how far it is while it is open; None where Toloka cannot be asked now."""
        from driftwatch.labels.backends.toloka.client import refusal

        try:
            pool = TolokaHook(self.monitor.annotation.connection).get_conn().get_pool(plan["pool_id"])
            if pool.is_open():
                self._progress(context, plan)
        except Exception as error:
            refused = refusal(error)
            if refused is not None:
                raise refused from error
            self.log.warning("Toloka cannot be asked now (%s: %s); asking again until %s", type(error).__name__, error, plan["expires"])  # fmt: skip
            return None
        return pool

    def _progress(self, context: Context, plan: dict[str, Any]) -> dict[str, Any]:
        """Coverage and spend: to the log, to storage, and to the task's XCom, which is what Airflow's UI shows of a waiting task."""
        from driftwatch.labels.backends.toloka.collect import progress

        annotation = self.monitor.annotation
        client = TolokaHook(annotation.connection).get_conn()
        done = progress(client, plan["pool_id"], len(plan["sample"]), plan["overlap"], annotation.fee_share)
        keep_progress(lambda: self.storage, self.keys.annotation_progress, done, self.log)
        context["ti"].xcom_push(key="progress", value=done["text"])
        self.log.info("Pool %s: %s", plan["pool_id"], done["text"])
        return done

    def _judge(self, context: Context, plan: dict[str, Any], reason: str | None) -> dict[str, Any]:
        from driftwatch.labels.creation import note_in_plan

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
        note_in_plan(self.store, self.date, state="closed", close_reason=reason, progress=done)
        return {"close_reason": reason, "coverage": done["coverage"], "spent": done["spent"]}
