"""Waits for the day's annotators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch.errors import NeedsAttention, NotEnoughLabels
from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.buttons import LabelSpendLink, MonitorPageLink, TolokaPoolLink
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.old_names import old_names
from driftwatch_airflow.paths import pages_path
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger, PoolWait

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from toloka.client import Pool

__getattr__ = old_names(__name__, {"AnnotationCompleteSensor": "WaitForAnnotationsOperator"})


class WaitForAnnotationsOperator(DayOperator):
    """Defers until the day's pool has ended, then judges whether its answers are enough.

    A look that fails for a reason that may pass ends nothing: the trigger asks again until the pool's deadline. A pool that closed
    as COMPLETED is a success. Any other end, or the deadline, goes by `annotation.on_short_pool`. It is an
    operator that defers from the start, since rescheduled sensors lose a race in Airflow 3.3 (apache/airflow#71172).
    """

    operator_extra_links = (MonitorPageLink(), TolokaPoolLink(), LabelSpendLink())

    def execute(self, context: Context) -> dict[str, Any]:
        plan = self.storage.read_json(self.keys.annotation)
        TolokaPoolLink().store(self, context, self._hook.pool_url(plan["project_id"], plan["pool_id"]))
        LabelSpendLink().store(self, context, f"{pages_path()}/m/{self.monitor.name}/days/{self.day}/#spend")
        pool = self._look(context, plan)
        if pool is not None and not pool.is_open():
            return self._judge(context, plan, pool.last_close_reason.value if pool.last_close_reason else None)
        self.defer(trigger=AnnotationCompleteTrigger(self._wait(plan, pool)), method_name="resume")

    def resume(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Called when the trigger has fired."""
        if event["state"] == "refused":
            raise NeedsAttention(event["reason"])
        plan = self.storage.read_json(self.keys.annotation)
        why = {"closed": event["reason"], "deadline": "the deadline", "over_budget": "annotation.max_cost_per_day"}
        return self._judge(context, plan, why[event["state"]])

    @property
    def _hook(self) -> TolokaHook:
        return TolokaHook(self.monitor.annotation.connection)

    def _wait(self, plan: dict[str, Any], pool: Pool | None = None) -> PoolWait:
        """What is waited for: until the end of the `pool` where it is known, else until the planned one."""
        from driftwatch.labels.backends.toloka.pool import end_of

        annotation, storage = self.monitor.annotation, self.monitor.storage
        return PoolWait(
            toloka_conn_id=annotation.connection,
            pool_id=plan["pool_id"],
            deadline=end_of(pool, plan) if pool else plan["expires"],
            poll_seconds=annotation.poll_seconds,
            images=len(plan["sample"]),
            overlap=plan["overlap"],
            fee_share=annotation.fee_share,
            max_cost=annotation.max_cost_per_day,
            storage_uri=storage.uri,
            storage_connection=storage.connection,
            progress_key=self.keys.annotation_progress,
        )

    def _look(self, context: Context, plan: dict[str, Any]) -> Pool | None:
        """The pool, and how far it is while it is open; None where Toloka cannot be asked now."""
        from driftwatch.labels.backends.toloka.client import refusal

        try:
            pool = self._hook.get_conn().get_pool(plan["pool_id"])
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
        done = self._wait(plan).progress(self._hook.get_conn(), self.log)
        context["ti"].xcom_push(key="progress", value=done["text"])
        return done

    def _judge(self, context: Context, plan: dict[str, Any], reason: str | None) -> dict[str, Any]:
        """Whether a pool that ended for `reason` has answers enough; notes its end in the plan, or tells why it cannot be used."""
        from driftwatch.labels.creation import note_in_plan

        done = self._progress(context, plan)
        if reason != "COMPLETED":
            error = self._too_short(str(reason), done)
            if error is not None:
                links = {"Toloka pool": self._hook.pool_url(plan["project_id"], plan["pool_id"])}
                facts = {"day": self.day, "reason": str(error), "links": links, **done}
                send_alert(context, self.monitor, "short_pool", facts)
                raise error
            self.log.warning(
                "The pool ended with %s; its coverage of %.0f %% is enough", reason, 100 * done["coverage"]
            )
        nothing_to_tell(self.monitor, self.day, "short_pool")
        note_in_plan(self.store, self.date, state="closed", close_reason=reason, progress=done)
        return {"close_reason": reason, "coverage": done["coverage"], "spent": done["spent"]}

    def _too_short(self, reason: str, done: dict[str, Any]) -> NotEnoughLabels | None:
        """Why a pool that ended early cannot be used; none where the setting and its coverage allow it."""
        annotation = self.monitor.annotation
        use = annotation.on_short_pool == "use_if_enough"
        if use and done["coverage"] >= annotation.min_coverage:
            return None
        return _short_pool_error(self.day, reason, done, annotation.min_coverage if use else None)


def _short_pool_error(day: str, reason: str, progress: dict[str, Any], wanted: float | None) -> NotEnoughLabels:
    """Why a pool that ended early cannot be used."""
    needs = "annotation.on_short_pool is fail" if wanted is None else f"annotation.min_coverage is {wanted:.0%}"
    return NotEnoughLabels(
        f"the pool of {day} ended with {reason}, {progress['answered_images']} of {progress['images']} images answered, and {needs}: "
        f"{_REMEDIES.get(reason, 'see the pool in Toloka')}, then clear create_annotation_pool and what follows it; or change the setting"
    )


_TOO_SHORT = (
    "raise reward_per_page or expire_hours for the next days, and for this one put the pool's end off in Toloka, by at most the four "
    "hours for which its image links outlive it"
)
_REMEDIES = {
    "NOT_ENOUGH_BALANCE": "top up the Toloka account",
    "EXPIRED": _TOO_SHORT,
    "the deadline": _TOO_SHORT,
    "MANUAL": "open the pool in Toloka again if it was closed by mistake",
    "BLOCKED": "ask Toloka's support why the account is blocked",
    "annotation.max_cost_per_day": "raise that limit and open the pool in Toloka again",
}
