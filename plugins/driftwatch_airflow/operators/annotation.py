"""Labelling: create the day's pool, and merge its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from driftwatch_airflow.assets import tell_followers
from driftwatch_airflow.buttons import MonitorPageLink, TolokaPoolLink
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.image_links import image_server, link_signer
from driftwatch_airflow.monitor import DayOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


class CreateAnnotationPoolOperator(DayOperator):
    """Finds or creates the day's pool with its sample and control tasks, and opens it; says the price before it is spent.

    With the run's `dry_run` it says what it would create and cost, creates nothing, and skips what follows.
    """

    operator_extra_links = (MonitorPageLink(), TolokaPoolLink())

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.labels.creation import create_day_pool, links_of
        from driftwatch.labels.plan import describe, plan_labelling
        from driftwatch.labels.shown import ShownImages
        from driftwatch.models.as_trained import for_day

        storage = self.storage
        monitor = for_day(self.of_day)
        now = context["ti"].start_date
        server, signer = image_server(monitor), link_signer(monitor)
        if context["params"].get("dry_run"):
            can_show = ShownImages(storage, self.keys.shown).unchanged
            plan = plan_labelling(self.store, self.date, now, can_show)
            links_of(plan, self.store, now, server, signer)
            raise AirflowSkipException(f"dry_run: nothing was created; {describe(plan, monitor)}")
        hook = TolokaHook(monitor.annotation.connection)
        plan = create_day_pool(self.store, self.date, hook.get_conn(), server, now, signer)
        link = hook.pool_url(plan["project_id"], plan["pool_id"])
        TolokaPoolLink().store(self, context, link)
        self.log.info("Pool %s: %s", plan["pool_id"], link)
        return {"pool_id": plan["pool_id"], "images": len(plan["sample"]), "cost": plan["cost"]["total"]}


class MergeAnnotationsOperator(DayOperator):
    """Reads the pool's answers, accepts or rejects the pages that wait for it, and merges the answers as `annotation.consensus`
    says, one vote for each annotator and image."""

    operator_extra_links = (MonitorPageLink(), TolokaPoolLink())

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.labels.backends.toloka.acceptance import settle
        from driftwatch.labels.backends.toloka.collect import progress
        from driftwatch.labels.consensus import merge_day
        from driftwatch.labels.creation import note_in_plan

        storage = self.storage
        plan = storage.read_json(self.keys.annotation)
        annotation = self.monitor.annotation
        hook = TolokaHook(annotation.connection)
        TolokaPoolLink().store(self, context, hook.pool_url(plan["project_id"], plan["pool_id"]))
        client = hook.get_conn()
        assignments = settle(client, plan["pool_id"], annotation.quality)
        storage.write_table(self.keys.assignments, assignments)
        # Rejected pages cost nothing: the day's spend is what it is after the decisions.
        done = progress(client, plan["pool_id"], len(plan["sample"]), plan["overlap"], annotation.fee_share)
        storage.write_json(self.keys.annotation_progress, done)
        note_in_plan(self.store, self.date, progress=done)
        summary = merge_day(self.of_day, [entry["image_id"] for entry in plan["sample"]])
        self.log.info("Labels: %s", summary)
        tell_followers(
            context, self.outlets, day=self.day, url=storage.url(self.keys.labels), labels=summary["labelled"]
        )
        return summary
