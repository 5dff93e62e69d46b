"""Labels that come by themselves, from a table: wait for them, take them in, score the day again as more come; and people who check them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.timezone import utcnow

from driftwatch.artifacts.nested_keys import ALERT_RUN_PREFIX
from driftwatch.errors import NeedsAttention
from driftwatch_airflow.alerts import outbox_of, tell
from driftwatch_airflow.assets import tell_followers
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.label_table import outside_of
from driftwatch_airflow.monitor import DayOperator
from driftwatch_airflow.operators.annotation import MergeAnnotationsOperator
from driftwatch_airflow.operators.decision import CheckPerformanceOperator
from driftwatch_airflow.operators.performance import EvaluatePerformanceOperator, alone
from driftwatch_airflow.waiting import defer_until, say
from driftwatch_airflow.xcom import XCom

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.decision import RetrainingDecision
    from driftwatch.artifacts.store import DayStore
    from driftwatch.labels.table import TableLabels
    from driftwatch.lineage.datasets import Lineage

# After a look that failed for a reason that may pass.
SOON = timedelta(minutes=10)


class TableOperator(DayOperator):
    """A step that looks at the monitor's table of the truth."""

    def read(self) -> TableLabels:
        """What the table says now."""
        from driftwatch.labels.table import read_labels

        return read_labels(self.of_day, outside_of(self.monitor), utcnow())

    def read_if_possible(self) -> TableLabels | None:
        """What the table says; None where it cannot be read now, and it is not too late to ask again."""
        try:
            return self.read()
        except NeedsAttention:
            raise
        except Exception as error:  # a file system, a network or a database may raise anything
            if utcnow() >= self.until:
                raise
            self.log.warning("The table cannot be read now (%s: %s)", type(error).__name__, error)
            return None

    @property
    def until(self) -> datetime:
        """Until when labels of the day may come."""
        from driftwatch.labels.table import labels_until

        return labels_until(self.date, self.monitor.labels.wait_days)

    def look_again(self, context: Context, found: TableLabels | None) -> None:
        """Defers until the next look, without a worker's slot. After a look that failed it is a soon one."""
        from driftwatch.labels.table import settings_of

        hours = timedelta(hours=settings_of(self.monitor).look_hours)
        moment = min(utcnow() + (hours if found else min(hours, SOON)), self.until)
        so_far = f"{_so_far(found)}. " if found else ""
        limit = f"{self.until:%Y-%m-%d %H:%M} UTC (labels.wait_days)"
        say(self, context, f"{so_far}Looking again at {moment:%Y-%m-%d %H:%M} UTC; labels may come until {limit}")
        defer_until(self, moment, utcnow(), "look")

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.labelled_by_table(self.of_day)


class WaitForTableOperator(TableOperator):
    """Waits without a worker slot until the table has enough labels of the day. It looks once every `labels.table.look_hours`.

    Enough are `labels.min_coverage` of the images where every image gets a label, else `performance.min_labels`. After
    `labels.wait_days` the day is judged by those that are there. A table that cannot be read is asked again until then.
    """

    def execute(self, context: Context) -> XCom:
        return self.look(context)

    def look(self, context: Context, event: Any = None) -> XCom:
        """Called by `execute`, or by the trigger when it is time."""
        read = self.read_if_possible()
        if context["params"].get("dry_run"):
            said = f"{_so_far(read)} now" if read else "it was not read"
            raise AirflowSkipException(f"dry_run: the table is not waited for; {said}")
        if read is None or (read.found.open and not read.enough):
            self.look_again(context, read)
        assert read is not None
        return {"labels": read.found.labelled, "images": read.found.images, "open": read.found.open}


class MergeTableOperator(TableOperator):
    """Writes what the table says as the day's labels: one vote for each image that has one."""

    def execute(self, context: Context) -> XCom:
        from driftwatch.labels.table import write_labels

        with alone(self.of_day):  # what is read first must not be written last
            read = self.read()
            write_labels(self.of_day, read)
        tell_followers(
            context,
            self.outlets,
            day=self.day,
            url=self.storage.url(self.keys.labels),
            labels=read.found.labelled,
        )
        found = read.found
        names = ("rows", "labelled", "earlier", "without_image", "refused", "images", "open", "strangers", "reasons")
        summary = {name: getattr(found, name) for name in names}
        log_decision(
            self.log, "labels_merged", f"Labels: {summary}", monitor=self.monitor.name, day=self.day, **summary
        )
        return summary


class FollowLabelsOperator(TableOperator, EvaluatePerformanceOperator):
    """Goes on looking at the table after the day has a verdict, until every image has a label or `labels.wait_days` are over.

    At each look the day is scored again by what is there, and performance.json keeps each earlier result that was another. If that shows
    that the model got worse, people are told at once. The tasks that follow publish the correction, once, and look whether it is an alert.
    Nothing is kept between two looks, so that the task can be killed and run again.
    """

    def execute(self, context: Context) -> XCom:
        return self.look(context)

    def look(self, context: Context, event: Any = None) -> XCom:
        """Called by `execute`, or by the trigger when it is time."""
        from driftwatch.labels.table import write_labels

        with alone(self.of_day):
            read = self.read_if_possible()
            if read is not None:
                write_labels(self.of_day, read)
                done = self.score(context)
        if read is None:
            self.look_again(context, None)
        assert read is not None
        if read.found.open:
            self._tell_what_is_proven(context)
            self.look_again(context, read)
        tell_followers(
            context, self.outlets, day=self.day, url=self.storage.url(self.keys.labels), labels=read.found.labelled
        )
        return done

    def _tell_what_is_proven(self, context: Context) -> None:
        """Tells an alert that came with this look: more labels may come for weeks. Who cannot be told now is told after the next look, or by
        the step that tells the correction."""
        try:
            tell(context, self.monitor, outbox_of(self.monitor, day=self.day), ("performance",))
        except Exception as error:  # a notifier, or the storage: telling people decides nothing
            self.log.warning("The alert is told later: %s", error)

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.followed(self.of_day)


class MergeCheckOperator(MergeAnnotationsOperator):
    """Merges the answers of the people who check the table. They are kept beside the day's labels, which are the table's."""

    @property
    def of_day(self) -> DayStore:
        from driftwatch.labels.table_check import CheckedDay

        return CheckedDay(self.store, self.date)


class CompareWithPeopleOperator(TableOperator, EvaluatePerformanceOperator):
    """Says in performance.json and in the report how far the table and people agree."""

    def execute(self, context: Context) -> XCom:
        from driftwatch.labels.table import write_labels
        from driftwatch.labels.table_check import not_taken_in

        with alone(self.of_day):
            # The table may have been complete before people were asked: of a large day their images were not looked for in it then.
            if not_taken_in(self.of_day) and (read := self.read_if_possible()):
                write_labels(self.of_day, read)
            return self.score(context)

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.evaluated(self.of_day)


class CheckCorrectionOperator(CheckPerformanceOperator):
    """Looks at the verdict that the day has when all its labels are there. An alert starts a retraining, if the day has not started one
    before and its model still serves."""

    def kept(self, decision: RetrainingDecision) -> RetrainingDecision:
        """The run that the day has started before stays known: the correction starts no other."""
        from driftwatch.artifacts.decision import RetrainingDecision

        before = self.of_day.find(RetrainingDecision)
        if decision.run_id is not None or before is None or before.run_id is None:
            return decision
        return RetrainingDecision(verdict=decision.verdict, run_id=before.run_id)

    def _begin_or_why_not(self, context: Context) -> str | None:
        from driftwatch.artifacts.accuracy import Performance
        from driftwatch.models import registry

        if self._runs_of(context)(f"{ALERT_RUN_PREFIX}{self.day}", False):
            return "it has started one before"
        champion, judged = registry.champion(self.store), self.of_day.read(Performance).model_version
        if champion is None or champion.version != judged:
            return f"{judged}, which the day is about, does not serve any more"
        return super()._begin_or_why_not(context)


def _so_far(read: TableLabels) -> str:
    from driftwatch.view.label_table import images_of

    return f"{read.found.labelled} of {images_of(read.found)} have a label"
