"""Waits for the day's annotators."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from airflow.sdk import timezone

from driftwatch.errors import NeedsAttention, NotEnoughLabels
from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.buttons import LabellingLink, LabelSpendLink, MonitorPageLink
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.image_links import link_signers
from driftwatch_airflow.label_backends import label_backend_of
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.old_names import old_names
from driftwatch_airflow.paths import pages_path
from driftwatch_airflow.triggers.annotation import AnnotationCompleteTrigger, PoolEvent, PoolWait
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
    from driftwatch.labels.backends.base import LabelBackend, PoolState
    from driftwatch.lineage.datasets import Lineage

# Image links are renewed so long before they end; where that did not help, again after this time.
RENEW_BEFORE, RENEW_AGAIN = timedelta(minutes=20), timedelta(minutes=5)

__getattr__ = old_names(__name__, {"AnnotationCompleteSensor": "WaitForAnnotationsOperator"})


class WaitForAnnotationsOperator(DayOperator):
    """Waits without a worker slot until the day's pool (its job for annotators) has ended. Then judges whether there are enough answers.

    If the service cannot be asked for a while, the trigger asks again until the pool's deadline. A pool that closed as COMPLETED is a
    success. `labels.on_short_pool` says what happens after any other end, or at the deadline. The pools of late images are waited for
    after the day's own, and judged together with it. This is an operator that defers and not a sensor, since rescheduled sensors lose a race in Airflow 3.3 (apache/airflow#71172).
    """

    operator_extra_links = (MonitorPageLink(), LabellingLink(), LabelSpendLink())

    def execute(self, context: Context) -> XCom:
        LabelSpendLink().store(self, context, f"{pages_path()}/m/{self.monitor.name}/days/{self.day}/#spend")
        return self._wait_for(context, self._plan.parts)

    def resume(self, context: Context, event: PoolEvent, number: int = 0) -> XCom:
        """Called when the trigger has fired. `number`: of the supplement whose pool was waited for; 0 for the day's own sample."""
        from driftwatch.labels.backends.base import AT_DAILY_LIMIT, AT_DEADLINE

        if event["state"] == "refused":
            raise NeedsAttention(str(event["reason"]))
        parts = self._plan.parts
        ended = next(part for part in parts if part.number == number)
        if event["state"] == "renew":
            self._renew(context, ended)
        if event["state"] in ("renew", "moved"):
            return self._wait_for(context, self._plan.parts[parts.index(ended) :])
        why = {"closed": event["reason"], "deadline": AT_DEADLINE, "over_budget": AT_DAILY_LIMIT}
        found = self._judge(context, ended, why[event["state"]])
        later = parts[parts.index(ended) + 1 :]
        return self._wait_for(context, later) if later else found

    def _wait_for(self, context: Context, parts: Sequence[AnnotationPlan]) -> XCom:
        """Waits for the pools of these parts of the plan, one after the other."""
        found: XCom = {}
        for part in parts:
            LabellingLink().store(self, context, self._backend.page(part))
            pool = self._look(context, part)
            if pool is None or pool.is_open:
                which = {"number": part.number} if part.number else None
                self.defer(
                    trigger=AnnotationCompleteTrigger(self._wait(part, pool)), method_name="resume", kwargs=which
                )
            found = self._judge(context, part, pool.close_reason)
        return found

    @property
    def _plan(self) -> AnnotationPlan:
        from driftwatch.artifacts.annotation import AnnotationPlan

        return self.of_day.read(AnnotationPlan)

    @cached_property
    def _backend(self) -> LabelBackend:
        return label_backend_of(self.monitor, self._plan)

    def _wait(self, plan: AnnotationPlan, pool: PoolState | None = None) -> PoolWait:
        """What is waited for, and until when: the end of `pool` if it is known, else the planned end."""
        from driftwatch.artifacts.annotation import AnnotationProgress
        from driftwatch.labels.backends.base import Pool

        annotation, storage = self.monitor.labels, self.monitor.storage
        waited_for = Pool.of(plan, annotation)
        return PoolWait(
            backend=self._backend.name,
            toloka_conn_id=annotation.connection_id,
            pool_id=waited_for.pool_id,
            # A person may have put the end off at the service. The wait follows, as long as the image links work.
            deadline=self._deadline(plan, pool),
            renew_at=self._renew_at(plan, pool),
            ends=pool.ends if pool else None,
            poll_seconds=annotation.poll_seconds,
            images=waited_for.images,
            overlap=waited_for.overlap,
            fee_share=waited_for.fee_share,
            control=waited_for.control,
            price_per_hour=waited_for.price_per_hour,
            known={} if self._backend.knows_truth else dict(waited_for.known),
            max_cost=self._left_for(plan),
            storage_uri=storage.uri,
            storage_connection=storage.connection,
            progress_key=self.of_day.key(AnnotationProgress),
        )

    def _left_for(self, part: AnnotationPlan) -> float:
        """What the day's limit leaves for the pool of this part, in USD."""
        others = [other for other in self._plan.parts if other.number != part.number]
        taken = sum(other.progress.spent if other.progress else other.cost.total for other in others)
        return round(self.monitor.labels.max_cost_per_day - taken, 4)

    def _deadline(self, plan: AnnotationPlan, pool: PoolState | None) -> datetime:
        if pool is None:
            return plan.expires
        return pool.ends if self._backend.renews_links else min(pool.ends, plan.links_expire)

    def _renew_at(self, plan: AnnotationPlan, pool: PoolState | None) -> datetime | None:
        """When the image links must be renewed; None if they outlive the pool. Links that could not be made to last longer are tried again."""
        if not self._backend.renews_links or plan.links_expire >= self._deadline(plan, pool):
            return None
        return max(plan.links_expire - RENEW_BEFORE, timezone.utcnow() + RENEW_AGAIN)

    def _renew(self, context: Context, part: AnnotationPlan) -> None:
        """Gives the images of this part of the plan new links, if its pool is open."""
        from driftwatch.labels.creation import renew_links
        from driftwatch.labels.plan import LINK_MARGIN

        pool = self._look(context, part)
        if pool is not None and pool.is_open:
            signers, until = link_signers(self.monitor), pool.ends + LINK_MARGIN
            found = renew_links(self.of_day, self._backend, signers, timezone.utcnow(), until, part.number)
            self.log.info("The image links are valid until %s", found.links_expire)

    def _look(self, context: Context, plan: AnnotationPlan) -> PoolState | None:
        """The pool; None if the service cannot be asked now. Of an open pool it also notes how far it is."""
        try:
            pool = self._backend.look(self._wait(plan).pool)
            if pool.is_open:
                self._progress(context, plan)
        except Exception as error:
            refused = self._backend.refusal(error)
            if refused is not None:
                raise refused from error
            self.log.warning(
                "%s cannot be asked now (%s: %s); asking again until %s",
                self._backend.title,
                type(error).__name__,
                error,
                plan.expires.isoformat(),
            )
            return None
        return pool

    def _progress(self, context: Context, plan: AnnotationPlan) -> AnnotationProgress:
        """Notes coverage (the share of the images that is answered) and cost: in the log, in the storage, and in the task's XCom, which
        Airflow's UI shows of a waiting task."""
        done = self._wait(plan).progress(self._backend, self.log)
        context["ti"].xcom_push(key="progress", value=done.text)
        return done

    def _judge(self, context: Context, plan: AnnotationPlan, reason: str | None) -> XCom:
        """Judges whether a pool that ended for `reason` has enough answers. Notes its end in the plan, or tells why it cannot be used."""
        from driftwatch.artifacts.alerts import PoolTooShort
        from driftwatch.labels.backends.base import COMPLETED
        from driftwatch.labels.plan_notes import note_end
        from driftwatch.labels.progress import together

        if not self._backend.ends_itself:
            self._backend.close(self._wait(plan).pool)
        done = self._progress(context, plan)
        before = [part.progress for part in self._plan.parts if part.number < plan.number and part.progress]
        of_day = together([*before, done])
        if reason != COMPLETED:
            error = self._too_short(str(reason), of_day)
            if error is not None:
                links = {f"{self._backend.title} pool": self._backend.page(plan)}
                send_alert(context, self.monitor, PoolTooShort(self.date, progress=of_day, reason=str(error)), links)
                raise error
        enough = "" if reason == COMPLETED else f"; its coverage of {100 * of_day.coverage:.0f} % is enough"
        log_decision(
            self.log,
            "pool_ended",
            f"The pool ended with {reason}{enough}",
            level=logging.INFO if reason == COMPLETED else logging.WARNING,
            monitor=self.monitor.name,
            day=self.day,
            pool_id=plan.pool_id,
            reason=reason,
            coverage=of_day.coverage,
            answers=of_day.answers,
            answers_wanted=of_day.answers_wanted,
            spent=of_day.spent,
            hours=of_day.hours,
        )
        nothing_to_tell(self.monitor, self.day, PoolTooShort.source)
        note_end(self.of_day, reason, done, plan.number)
        return {"close_reason": reason, "coverage": of_day.coverage, "spent": of_day.spent}

    def _too_short(self, reason: str, done: AnnotationProgress) -> NotEnoughLabels | None:
        """Why a pool that ended early cannot be used. None if it can, by the setting and its coverage."""
        annotation = self.monitor.labels
        use = annotation.on_short_pool == "use_if_enough"
        if use and done.coverage >= annotation.min_coverage:
            return None
        needs = f"labels.min_coverage is {annotation.min_coverage:.0%}" if use else "labels.on_short_pool is fail"
        return NotEnoughLabels(
            f"the pool of {self.day} ended with {reason}, {done.answered_images} of {done.images} images answered, and {needs}: "
            f"{self._backend.remedy(reason)}, then clear create_annotation_pool and what follows it; or change the setting"
        )

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.answered(self.of_day)
