"""Performance: measure the model against the day's labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch.errors import DamagedArtifact, EmptyDay, MissingArtifact, NeedsAttention
from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.buttons import DayReportLink, MonitorPageLink
from driftwatch_airflow.hooks.toloka import TolokaHook
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.paths import correction_page, pages_path

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


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
