"""Labelling: create the day's pool, and merge its answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.timezone import utcnow

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.assets import tell_followers
from driftwatch_airflow.buttons import LabellingLink, MonitorPageLink
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.image_links import link_signers
from driftwatch_airflow.label_backends import label_backend_of
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.old_names import old_names
from driftwatch_airflow.triggers.reach import ReachEvent, ReachTrigger, missing_connection
from driftwatch_airflow.waiting import look_again, of_tables
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.store import DayStore
    from driftwatch.config import MonitorConfig
    from driftwatch.labels.backends.base import LabelBackend
    from driftwatch.lineage.datasets import Lineage

__getattr__ = old_names(
    __name__,
    {
        "EvaluatePerformanceOperator": "driftwatch_airflow.operators.performance:EvaluatePerformanceOperator",
    },
)


class CreateAnnotationPoolOperator(DayOperator):
    """Finds or creates the day's pool, and opens it. The price is said before it is spent.

    A pool is the day's job for annotators. It has the sample (the images to label) and control tasks (images whose class is known, which
    show how well a person works). From images that came after the sample was drawn a supplement is drawn, which has a pool of its own. With
    the run's `dry_run` the task creates nothing: it says what it would create and what that would cost, and skips what follows.

    Before money is spent, the connections of all steps that follow are looked up: here, and in the triggerer, which waits for the annotators
    and looks them up itself. One that is missing fails the task, without a retry and without a pool.
    """

    operator_extra_links = (MonitorPageLink(), LabellingLink())

    def execute(self, context: Context) -> XCom:
        if context["params"].get("dry_run"):
            self._say_plan(context)
        self._backend(self._day)
        after, waiting = connections_after(self.monitor), connections_of_waits(self.monitor)
        _refuse([refused for name, setting in after.items() if (refused := missing_connection(name, setting))])
        self.defer(trigger=ReachTrigger(waiting), method_name="create")

    def create(self, context: Context, event: ReachEvent) -> XCom:
        """Called when the triggerer has looked its connections up."""
        if event["failed"]:
            raise RuntimeError(f"the triggerer could not look up its connections: {event['failed']}")
        _refuse(
            [
                f"in the triggerer {refused}; docs/operate/connections.md says where it looks"
                for refused in event["missing"]
            ]
        )
        return self.make(context)

    def make(self, context: Context, event: Any = None) -> XCom:
        """Makes the pool; called by `create`, or by the trigger that waited for the table of `labels.blur`. Its end is counted from now: the task
        instance keeps the time at which it first began to wait, days ago."""
        from driftwatch.images.table_file import MissingTable, StillWritten
        from driftwatch.labels.creation import create_day_pool

        day = self._day
        backend = self._backend(day)
        try:
            plan = create_day_pool(day, backend, link_signers(day.config), utcnow())
        except (MissingTable, StillWritten) as error:
            look_again(self, context, error, of_tables(self.monitor), "make")
            raise
        link = backend.page(plan.newest)
        LabellingLink().store(self, context, link)
        cost = round(sum(part.cost.total for part in plan.parts), 4)
        log_decision(
            self.log,
            "sample_drawn",
            f"Pool {plan.newest.pool_id}: {link}",
            monitor=self.monitor.name,
            day=self.day,
            backend=plan.backend,
            pool_id=plan.newest.pool_id,
            images=len(plan.asked_about),
            for_training=len(plan.extra),
            supplements=len(plan.supplements),
            overlap=plan.overlap,
            cost=cost,
            currency=plan.cost.currency,
        )
        return {"pool_id": plan.newest.pool_id, "images": len(plan.asked_about), "cost": cost}

    @property
    def _day(self) -> DayStore:
        from driftwatch.models.as_trained import for_day

        return self.of_day.with_config(for_day(self.of_day))

    def _backend(self, day: DayStore) -> LabelBackend:
        from driftwatch.artifacts.annotation import AnnotationPlan

        made = day.find(AnnotationPlan)
        return label_backend_of(day.config, made if made and made.asked else None)

    def _say_plan(self, context: Context) -> NoReturn:
        """Skips the task with what it would create."""
        from driftwatch.labels.creation import links_of
        from driftwatch.labels.plan import describe, plan_labelling
        from driftwatch.labels.shown import ShownImages
        from driftwatch.labels.supplement import not_asked, with_supplement

        day, now = self._day, utcnow()
        annotation, signers = day.config.labels, link_signers(day.config)
        backend = self._backend(day)
        can_show = ShownImages.of_day(day).unchanged
        plan = plan_labelling(day, now, can_show)
        if plan.asked:
            plan, _ = with_supplement(day, plan, now, can_show)
        links_of(plan.newest, day, signers, now, backend.renews_links)
        said = "; ".join(describe(part, annotation) for part in plan.parts)
        raise AirflowSkipException(f"dry_run: nothing was created; {said}{not_asked(plan)}")

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.asked(self.of_day)


def connections_after(monitor: MonitorConfig) -> dict[str, str]:
    """The connections that the day needs, with a setting that names each. Not MLflow's, which only shows, and none of `images.earlier`, which are of
    other days: no day waits for those."""
    from driftwatch.doctor.services import named_connections

    others = ("registry.mlflow.", "images.earlier ")
    return {name: setting for setting, name in named_connections(monitor) if not setting.startswith(others)}


def connections_of_waits(monitor: MonitorConfig) -> dict[str, str]:
    """Those that the triggerer looks up, with a setting that names each."""
    from driftwatch.doctor.services import named_connections

    asked = {"labels.connection", "storage.connection"}
    if monitor.publish.alert_source != "local":
        asked.add("publish.connection")
    return {name: setting for setting, name in named_connections(monitor) if setting in asked}


def _refuse(missing: list[str]) -> None:
    if missing:
        raise NeedsAttention("; ".join(missing))


class MergeAnnotationsOperator(DayOperator):
    """Reads the answers of the day's pool and of those of late images, and accepts or rejects the pages (small groups of tasks) that wait for a
    decision. Then merges the answers as `labels.consensus` says, with one vote for each annotator and image."""

    operator_extra_links = (MonitorPageLink(), LabellingLink())

    def execute(self, context: Context) -> XCom:
        from driftwatch.artifacts.annotation import AnnotationPlan
        from driftwatch.labels import progress
        from driftwatch.labels.assignments import as_forgotten, together
        from driftwatch.labels.backends.base import Pool
        from driftwatch.labels.consensus import merge_day
        from driftwatch.labels.extra import merge_extra
        from driftwatch.labels.plan_notes import note_progress

        day, annotation = self.of_day, self.monitor.labels
        plan = day.read(AnnotationPlan)
        backend = label_backend_of(day.config, plan)
        LabellingLink().store(self, context, backend.page(plan.newest))
        pools = [Pool.of(part, annotation) for part in plan.parts]
        assignments = together(backend.settle(pool, backend.collect(pool), annotation.quality) for pool in pools)
        day.storage.write_table(day.keys.assignments, as_forgotten(day, plan, assignments))
        # Rejected pages cost nothing, so the cost is asked after the decisions.
        done = [backend.progress(pool) for pool in pools]
        of_day = progress.together(done)
        day.write(of_day)
        for part, found in zip(plan.parts, done, strict=True):
            note_progress(day, found, part.number)
        summary = {**asdict(merge_day(day, plan.asked_about)), "spent": of_day.spent}
        if plan.extra:
            summary["extra"] = merge_extra(day, plan)
        log_decision(
            self.log, "labels_merged", f"Labels: {summary}", monitor=self.monitor.name, day=self.day, **summary
        )
        tell_followers(
            context, self.outlets, day=self.day, url=day.storage.url(day.keys.labels), labels=summary["labelled"]
        )
        return summary

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.labelled(self.of_day)
