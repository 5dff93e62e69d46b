"""Labelling: create the day's pool, and merge its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from driftwatch.errors import DamagedArtifact, EmptyDay, MissingArtifact, NeedsAttention, NotEnoughLabels
from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.assets import tell_followers
from driftwatch_airflow.connections import address_of, connection_of, secret_of
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.links import DayReportLink, MonitorPageLink, TolokaPoolLink
from driftwatch_airflow.monitor import DayOperator, open_storage
from driftwatch_airflow.ui import correction_page, pages_path

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.config import MonitorConfig
    from driftwatch.labels.links import ImageServer
    from driftwatch.storage import Storage


class CreateAnnotationPoolOperator(DayOperator):
    """Finds or creates the day's pool with its sample and control tasks, and opens it; says the price before it is spent.

    With the run's `dry_run` it says what it would create and cost, creates nothing, and skips what follows.
    """

    operator_extra_links = (MonitorPageLink(), TolokaPoolLink())

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.labels.creation import create_day_pool, links_of
        from driftwatch.labels.plan import describe, plan_day
        from driftwatch.labels.shown import ShownImages
        from driftwatch.models.as_trained import for_day

        storage = self.storage
        monitor = for_day(self.of_day)
        now = context["ti"].start_date
        server, signer = image_server(monitor), link_signer(monitor)
        if context["params"].get("dry_run"):
            can_show = ShownImages(storage, self.keys.shown).unchanged
            plan = plan_day(self.store, self.date, now, can_show)
            links_of(plan, self.store, now, server, signer)
            raise AirflowSkipException(f"dry_run: nothing was created; {describe(plan, monitor)}")
        hook = TolokaHook(monitor.annotation.connection)
        plan = create_day_pool(self.store, self.date, hook.get_conn(), server, now, signer)
        link = hook.pool_url(plan["project_id"], plan["pool_id"])
        TolokaPoolLink().store(self, context, link)
        self.log.info("Pool %s: %s", plan["pool_id"], link)
        return {"pool_id": plan["pool_id"], "images": len(plan["sample"]), "cost": plan["cost"]["total"]}


def image_server(monitor: MonitorConfig) -> ImageServer | None:
    """The image server of a file:// storage, from its Airflow connection; none on S3, which has links of its own."""
    from driftwatch.labels.links import ImageServer

    if monitor.storage.uri.startswith("s3://"):
        return None
    connection = connection_of(monitor.annotation.image_links, "annotation.image_links")
    return ImageServer(address_of(connection, "", scheme="http"), secret_of(connection, "secret of the image server"))


def link_signer(monitor: MonitorConfig) -> Storage | None:
    """The s3:// storage by the credentials that sign image links, where `annotation.image_links` names an aws connection."""
    name = monitor.annotation.image_links
    if (
        not monitor.storage.uri.startswith("s3://")
        or name == type(monitor.annotation).model_fields["image_links"].default
    ):
        return None
    connection = connection_of(name, "annotation.image_links")
    if connection.conn_type != "aws":
        raise NeedsAttention(
            f"annotation.image_links names the Airflow connection {name} of type {connection.conn_type}: for an s3:// storage it must "
            "be of type aws, and its key signs the links"
        )
    return open_storage(monitor.storage.uri, name)


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


class EvaluatePerformanceOperator(DayOperator):
    """Measures the model against the labels, gives the verdict, and writes the day's report."""

    operator_extra_links = (MonitorPageLink(), DayReportLink())

    def execute(self, context: Context) -> dict[str, Any]:
        from driftwatch.accuracy.evaluate import evaluate_day
        from driftwatch.models import registry
        from driftwatch.view.report import write_report

        storage = self.storage
        version = storage.read_json(self.keys.ingest)["model_version"]
        holdout = registry.card(self.store, version)["metrics"]["holdout"]
        late_files = self._late_files()
        performance = evaluate_day(self.of_day, holdout)
        write_report(self.store, self.date)
        DayReportLink().store(self, context, f"{pages_path()}/m/{self.monitor.name}/days/{self.day}/report.html")
        facts = {
            **performance,
            "day": self.day,
            "report": storage.url(self.keys.report),
            "links": self._pool_link(),
        }
        if performance["verdict"] == "alert":
            send_alert(context, self.monitor, "performance", facts)
        elif performance["verdict"] == "not_enough_evidence":
            send_alert(context, self.monitor, "too_few_labels", facts)
        else:
            nothing_to_tell(self.monitor, self.day, "performance")
        self.log.info("Verdict %s: %s", performance["verdict"], performance["reasons"])
        later = self._outdated()
        return {
            **{name: performance[name] for name in ("verdict", "labels", "accuracy")},
            "outdated_days": [found["day"] for found in later],
            **({"late_files": late_files} if late_files else {}),
        }

    def _outdated(self) -> list[dict[str, str]]:
        """The later days whose verdict would now be another; it informs, and a later day that is damaged stops nothing here."""
        from driftwatch.accuracy.later_days import outdated_after

        try:
            later = outdated_after(self.store, self.date)
        except (DamagedArtifact, MissingArtifact) as error:
            self.log.warning("Whether the verdicts of later days would now be others is not known: %s", error)
            return []
        for found in later:
            self.log.warning(
                "%s rests on this day too: its verdict is %s and would now be %s. Run evaluate_performance of that day again.",
                *found.values(),
            )
        return later

    def _late_files(self) -> int:
        """Looks once more into the day's folder: what came after the day was taken in is told, since nobody else would notice."""
        from driftwatch.images.late import note_late_files
        from driftwatch.images.listing import ignored_by, list_day

        images, folder = self.monitor.images, self.keys.incoming
        try:
            listed = [item for item in list_day(self.of_day, images) if not ignored_by(item.key, folder, images.ignore)]
        except EmptyDay:  # cleaned up since
            listed = []
        files = note_late_files(self.of_day, listed)
        if files:
            self.log.warning(
                "%s files came after %s was taken in and are in no number of it. To take them in and publish the day anew: %s",
                files,
                self.day,
                correction_page(self.monitor.name, self.day),
            )
        return files

    def _pool_link(self) -> dict[str, str]:
        """Where the pool is looked at; none for a day without a pool, or where the connection is gone by now."""
        if not self.storage.exists(self.keys.annotation):
            return {}
        plan = self.storage.read_json(self.keys.annotation)
        if not plan.get("pool_id"):
            return {}
        try:
            hook = TolokaHook(self.monitor.annotation.connection)
            return {"Toloka pool": hook.pool_url(plan["project_id"], plan["pool_id"])}
        except NeedsAttention as error:
            self.log.warning("The message has no link to the pool: %s", error)
            return {}


def short_pool_error(day: str, reason: str, progress: dict[str, Any], wanted: float | None) -> NotEnoughLabels:
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
