"""Performance: measure the model against the day's labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.nested_keys import lock_of
from driftwatch.errors import DamagedArtifact, MissingArtifact, NeedsAttention
from driftwatch_airflow.buttons import DayReportLink, MonitorPageLink
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.episodes import tell_model
from driftwatch_airflow.label_backends import label_backend_of
from driftwatch_airflow.monitor import DayOperator, say_verdict
from driftwatch_airflow.paths import correction_page, pages_path
from driftwatch_airflow.reports import renew_report
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from airflow.sdk.definitions.context import Context

    from driftwatch.accuracy.later_days import Outdated
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.artifacts.store import DayStore
    from driftwatch.lineage.datasets import Lineage
    from driftwatch.storage.lock import Lock


class EvaluatePerformanceOperator(DayOperator):
    """Measures the model against the labels, gives the verdict, and writes the day's report. No two tasks of a day do so at the same time: each
    earlier result that was another is kept, and the last labels count."""

    operator_extra_links = (MonitorPageLink(), DayReportLink())

    def execute(self, context: Context) -> XCom:
        with alone(self.of_day):
            return self.score(context)

    def score(self, context: Context) -> XCom:
        """To be called by who is `alone`."""
        from driftwatch.accuracy.evaluate import evaluate_day
        from driftwatch.artifacts.ingest import Ingest
        from driftwatch.models import registry
        from driftwatch.view.segment_accuracy import segment_reasons
        from driftwatch.view.shares import accuracy_text
        from driftwatch.view.verdicts import reasons

        card = registry.card(self.store, self.of_day.read(Ingest).model_version)
        late_files = self._late_files()
        performance = evaluate_day(self.of_day, card.metrics.holdout.accuracy, reasons, segment_reasons)
        written = performance.model_dump(mode="json", exclude_unset=True)
        self._tell(context, performance)
        renew_report(self.of_day)
        DayReportLink().store(self, context, f"{pages_path()}/m/{self.monitor.name}/days/{self.day}/report.html")
        judged = performance.judged or performance.accuracy
        log_decision(
            self.log,
            "performance_verdict",
            f"Verdict {performance.verdict}: {written['reasons']}",
            monitor=self.monitor.name,
            day=self.day,
            verdict=performance.verdict,
            severity=performance.severity,
            accuracy=judged.value,
            low=judged.low,
            high=judged.high,
            floor=performance.floor,
            labels=performance.labels,
            model_version=performance.model_version,
            reasons=list(performance.reasons),
            segments=[f"{each.by}={each.name}" for each in performance.segments if each.verdict == "alert"],
        )
        say_verdict(context, f"{performance.verdict.replace('_', ' ')}: accuracy {accuracy_text(performance.accuracy)}")
        later = self._outdated()
        return {
            **{name: written[name] for name in ("verdict", "labels", "accuracy")},
            "outdated_days": [found.day.isoformat() for found in later],
            **({"late_files": late_files} if late_files else {}),
        }

    def _tell(self, context: Context, performance: Performance) -> None:
        """Puts what is new into the outbox, or takes an earlier alert back."""
        from driftwatch.artifacts.alerts import TooFewLabels

        too_few = performance.verdict == "not_enough_evidence" and not _claims_nothing(performance)
        otherwise = TooFewLabels(self.date, performance) if too_few else None
        pool = {} if performance.verdict == "ok" else self._pool_link()
        tell_model(context, self.of_day, otherwise, {**pool, **self.report_link})

    def _outdated(self) -> list[Outdated]:
        """The later days whose verdict would be different now. This only informs: a damaged later day does not stop this task."""
        from driftwatch.accuracy.later_days import outdated_after

        try:
            later = outdated_after(self.store, self.date)
        except (DamagedArtifact, MissingArtifact) as error:
            self.log.warning("It is not known whether the verdicts of later days would be different now: %s", error)
            return []
        for found in later:
            self.log.warning(
                "The verdict of %s uses this day too. It is %s, and would now be %s. Clear evaluate_performance of that day.",
                found.day,
                found.verdict,
                found.now,
            )
        return later

    def _late_files(self) -> int:
        """Looks once more into the day's folder, and tells what came after the day was taken in. Nobody else would notice it."""
        from driftwatch.images.late import note_late_files

        files = note_late_files(self.of_day)
        if files:
            self.log.warning(
                "%s files came after %s was taken in, and no number of the day includes them. To take them in and publish the day again, use the "
                "form at %s",
                files,
                self.day,
                correction_page(self.monitor.name, self.day),
            )
        return files

    def _pool_link(self) -> dict[str, str]:
        """The address of the pool's page. Empty for a day without a pool, or if the connection is gone by now."""
        from driftwatch.artifacts.annotation import AnnotationPlan

        plan = self.of_day.find(AnnotationPlan)
        if plan is None or not plan.pool_id:
            return {}
        try:
            backend = label_backend_of(self.monitor, plan)
            return {f"{backend.title} pool": backend.page(plan)}
        except NeedsAttention as error:
            self.log.warning("The message has no link to the pool: %s", error)
            return {}

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.evaluated(self.of_day)


def alone(of_day: DayStore) -> AbstractContextManager[Lock]:
    """While it is held no other task scores the day, or takes in what the table says of its labels."""
    from driftwatch.storage.lock import exclusive

    return exclusive(of_day.storage, lock_of(of_day.keys.labels))


def _claims_nothing(performance: Performance) -> bool:
    """Whether the monitor file says that nobody knows how the labelled images were chosen: every day ends so, and that is no news."""
    from driftwatch.config.label_table import UNKNOWN

    return performance.truth is not None and performance.truth.covers == UNKNOWN
