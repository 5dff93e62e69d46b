"""After the verdict on the day's accuracy: start a retraining, or not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk.bases.branch import BranchMixIn

from driftwatch.artifacts.nested_keys import ALERT_RUN_PREFIX
from driftwatch.errors import AccessRefused, NeedsAttention
from driftwatch_airflow.alerts import nothing_to_tell, send_alert
from driftwatch_airflow.buttons import MonitorPageLink
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.hooks.whylabs import WhyLabsHook
from driftwatch_airflow.monitor import DAY_TEMPLATE, DayOperator, say_verdict
from driftwatch_airflow.reports import renew_report_if_possible
from driftwatch_airflow.task_docs import task_doc
from driftwatch_airflow.triggers.analysis import AnalysisEvent, AnalysisTrigger, AnalysisWait
from driftwatch_airflow.waiting import say

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.accuracy import WhyLabsAnalysis
    from driftwatch.artifacts.decision import RetrainingDecision
    from driftwatch.artifacts.parts import AccuracyVerdict
    from driftwatch.config import MonitorConfig
    from driftwatch.lineage.datasets import Lineage


# The XCom by which the choice names the challenger that waits.
WAITS = "challenger_that_waits"


class TriggerRetrainingOperator(TriggerDagRunOperator):
    """Starts the retraining DAG for the day's alert, with a note that says so; or, on a day without one, for the challenger that waits for
    the day's labels, which the task before it names. However often and by whichever task it is asked for, the day has one run.

    :param monitor: the monitor whose day it is.
    """

    template_fields: Sequence[str] = (*TriggerDagRunOperator.template_fields, "note", "day")
    operator_extra_links = [*TriggerDagRunOperator.operator_extra_links, MonitorPageLink()]  # noqa: RUF012 - as the base has it

    def __init__(self, *, monitor: MonitorConfig, **kwargs: Any) -> None:
        super().__init__(
            **{
                "doc_md": task_doc(kwargs["task_id"]),
                "trigger_dag_id": monitor.retraining_dag_id,
                "trigger_run_id": f"{ALERT_RUN_PREFIX}{DAY_TEMPLATE}",
                "logical_date": None,
                "conf": {"last_day": DAY_TEMPLATE, "reason": f"performance alert of {DAY_TEMPLATE}"},
                "note": f"Performance alert of {DAY_TEMPLATE}",
                "skip_when_already_exists": True,
                **kwargs,
            }
        )
        self.day = DAY_TEMPLATE

    def execute(self, context: Context) -> None:
        waits = [context["ti"].xcom_pull(task_ids=name, key=WAITS) for name in sorted(self.upstream_task_ids)]
        if version := next(filter(None, waits), None):
            reason = f"labels of {self.day}, for the challenger that waits"
            self.conf = {"last_day": self.day, "challenger": version, "reason": reason}
            self.note = f"Labels of {self.day}: {version} is compared again"
        super().execute(context)


class CheckPerformanceOperator(DayOperator, BranchMixIn):
    """Chooses the next task: `on_alert` if there is an alert and a retraining is allowed, `on_ok` if all is ok, else none. Where a
    challenger waits for the day's labels (`retraining.pending_days`), `on_alert` too, whatever the verdict is.

    `publish.alert_source` says whose alert counts: that of the day's verdict, that of WhyLabs' accuracy monitors, or either. The day is
    ok only if the verdict says so, and WhyLabs too if it is asked. "Not enough evidence" is not ok. WhyLabs is not asked about labels that say
    nothing of the other images. The task waits up to `publish.analysis_hours`, without a worker slot, until WhyLabs has analysed the day.

    An alert starts no retraining on a backfilled day (see `retraining.retrain_on_backfill`) and on a dry run. While a retraining is under
    way, the alert is attached to that one. After an alert's retraining no other alert starts one for `retraining.cooldown_days` days of
    data. The log says which of these holds. Of two alerts at the same time, one starts a run, and the other is attached to it.
    """

    template_fields: Sequence[str] = ("day",)
    ui_color = "#f9f3e3"
    inherits_from_skipmixin = True  # so a branch that was not taken stays skipped where its task is cleared alone

    def __init__(self, *, on_alert: str, on_ok: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_alert = on_alert
        self.on_ok = on_ok

    def execute(self, context: Context) -> str | list[str] | None:
        from driftwatch.artifacts.accuracy import Performance

        performance = self.of_day.read(Performance)
        source = self.monitor.publish.alert_source
        no_claim = performance.truth is not None and performance.truth.no_interval is not None
        if source == "local" or no_claim or (source == "either" and performance.verdict == "alert"):
            return self._choose(context, performance.verdict)
        excused = self._never_retrains(context)
        if excused:
            self.log.warning("WhyLabs is not asked about %s: %s", self.day, excused)
            self._note(context, performance.verdict, held=excused if performance.verdict == "alert" else None)
            return self._branch(context)
        if not performance.content_hash or performance.labels < self.monitor.performance.min_labels:
            return self._judge(
                context, _no_evidence(f"{performance.labels} labels are too few (performance.min_labels)")
            )
        return self._ask(context)

    def resume(self, context: Context, event: AnalysisEvent) -> str | list[str] | None:
        """Called when the trigger has fired."""
        from driftwatch.artifacts.accuracy import WhyLabsAnalysis

        if event["state"] == "refused":
            raise AccessRefused("; ".join(event["reasons"]))
        if event["state"] == "analysed":
            reasons, rows = tuple(event["reasons"]), tuple(event["rows"])
            return self._judge(context, WhyLabsAnalysis(verdict=event["verdict"], reasons=reasons, rows=rows))
        publish = self.monitor.publish
        late = (
            f"WhyLabs has not analysed the accuracy of {self.day} within {publish.analysis_hours:g} h: "
            f"{'; '.join(event['reasons'])}. That is no all-clear. Check that the analyzers are there (`make monitors` writes them) and that "
            "they run. Then clear this task, and it waits again. publish.analysis_hours says how long, publish.on_no_analysis what happens then"
        )
        if publish.on_no_analysis == "fail":
            raise NeedsAttention(late)
        return self._judge(context, _no_evidence(late))

    def _ask(self, context: Context) -> str | list[str] | None:
        """Asks WhyLabs once. Defers if WhyLabs has not analysed the day yet, or cannot be asked now."""
        from driftwatch.artifacts.accuracy import WhyLabsAnalysis
        from driftwatch.publish.whylabs.analysis import accuracy_analyzers, read_analysis, sent_accuracy
        from driftwatch.publish.whylabs.errors import WhyLabsError
        from driftwatch.view.analysis import reasons

        publish = self.monitor.publish
        analyzers = accuracy_analyzers(self.monitor)
        accuracy = sent_accuracy(self.storage.read_bytes(self.keys.performance_profile))
        api = WhyLabsHook(publish.connection, publish.dataset).get_conn()
        try:
            found = read_analysis(api, self.date, analyzers, accuracy, in_words=reasons)
        except NeedsAttention:
            raise
        except WhyLabsError as error:
            found = WhyLabsAnalysis(verdict="not_analysed", reasons=(str(error),), rows=())
        if found.verdict != "not_analysed":
            return self._judge(context, found)
        deadline = context["ti"].start_date + timedelta(hours=publish.analysis_hours)
        say(self, context, f"Waiting for WhyLabs until {deadline:%Y-%m-%d %H:%M} UTC: {'; '.join(found.reasons)}")
        self.defer(
            trigger=AnalysisTrigger(
                AnalysisWait(
                    whylabs_conn_id=publish.connection,
                    dataset=api.need_dataset(),
                    day=self.date,
                    analyzers=analyzers,
                    accuracy=accuracy,
                    deadline=deadline,
                    poll_seconds=publish.analysis_poll_seconds,
                )
            ),
            method_name="resume",
        )

    def _judge(self, context: Context, found: WhyLabsAnalysis) -> str | list[str] | None:
        """Stores what WhyLabs said, and chooses by it and the day's own verdict."""
        from driftwatch.artifacts.accuracy import Performance
        from driftwatch.artifacts.alerts import WhyLabsFoundWorse
        from driftwatch.episodes.days import noted

        performance = self.of_day.read(Performance)
        self.of_day.write(found)
        log_decision(
            self.log,
            "whylabs_verdict",
            f"WhyLabs: {found.verdict}; {'; '.join(found.reasons)}",
            monitor=self.monitor.name,
            day=self.day,
            verdict=found.verdict,
            reasons=list(found.reasons),
        )
        with noted(self.of_day) as episodes:
            episode = episodes.of("performance")
            if found.verdict == "alert" and performance.verdict != "alert" and episode and episode.event:
                facts = WhyLabsFoundWorse(self.date, performance, found.reasons, episode)
                send_alert(context, self.monitor, facts, self.report_link)
            else:
                nothing_to_tell(self.monitor, self.day, WhyLabsFoundWorse.source)
        if found.verdict == "ok" and performance.verdict != "ok":
            self.log.warning("WhyLabs found no anomaly, but the day's own verdict is %s", performance.verdict)
            return self._choose(context, "not_enough_evidence")
        return self._choose(context, "not_enough_evidence" if found.verdict == "not_analysed" else found.verdict)

    def _choose(self, context: Context, verdict: AccuracyVerdict) -> str | list[str] | None:
        if verdict == "alert":
            held = self._begin_or_why_not(context)
            self._note(context, verdict, starts=not held, held=held)
            return self._branch(context, *([] if held else [self.on_alert]))
        again = self._look_again(context)
        self._note(context, verdict, starts=bool(again))
        return self._branch(context, *([self.on_ok] if verdict == "ok" else []), *again)

    def _note(self, context: Context, verdict: AccuracyVerdict, starts: bool = False, held: str | None = None) -> None:
        """Says in one line of the log what is decided and why, and keeps it for the pages and the report. A dry run keeps nothing."""
        from driftwatch.artifacts.accuracy import Performance
        from driftwatch.artifacts.decision import RetrainingDecision

        run_id = f"{ALERT_RUN_PREFIX}{self.day}" if starts else None
        then = {"ok": "the day is ok", "not_enough_evidence": "it is neither ok nor an alert"}
        found = [then[verdict]] if verdict in then else []
        if starts:
            found.append(f"the retraining {run_id} is started")
        elif held:
            found.append(f"no retraining is started: {held}")
        what = ", and ".join(found)
        because = " ".join(self.of_day.read(Performance).reasons) or "no reason is known"
        level = logging.INFO if verdict == "ok" else logging.WARNING
        log_decision(
            self.log,
            "retraining_decision",
            f"Verdict of {self.day}: {verdict.replace('_', ' ')}, {what}. Because: {because}",
            level=level,
            monitor=self.monitor.name,
            day=self.day,
            verdict=verdict,
            starts=starts,
            retraining_run_id=run_id,
            held=held,
        )
        say_verdict(context, f"{verdict.replace('_', ' ')}: {what}")
        if not context["params"].get("dry_run"):
            self.of_day.write(self.kept(RetrainingDecision(verdict=verdict, run_id=run_id, held=held)))
            renew_report_if_possible(self.of_day)

    def kept(self, decision: RetrainingDecision) -> RetrainingDecision:
        """What is kept of the decision for the pages and the report."""
        return decision

    def _branch(self, context: Context, *tasks: str) -> str | list[str] | None:
        chosen = list(tasks) if len(tasks) > 1 else next(iter(tasks), None)
        self.do_branch(context, chosen)
        return chosen

    def _look_again(self, context: Context) -> list[str]:
        """The task that starts the comparison of the challenger that waits for the labels of this day, which has no alert; none if none waits."""
        from driftwatch.artifacts.accuracy import Performance
        from driftwatch.models.requests import begin_if_one_waits

        if self._never_retrains(context) or not self.of_day.read(Performance).labels:
            return []
        version = begin_if_one_waits(self.store, self.date, self._runs_of(context))
        if version is None:
            return []
        self.log.info("The challenger %s waits for the labels of %s, and is compared again", version, self.day)
        context["ti"].xcom_push(key=WAITS, value=version)
        return [self.on_alert]

    def _never_retrains(self, context: Context) -> str | None:
        if context["params"].get("dry_run"):
            return "this is a dry run"
        if context["dag_run"].run_type == "backfill" and not self.monitor.retraining.retrain_on_backfill:
            return "this run is a backfill and retraining.retrain_on_backfill is off"
        return None

    def _begin_or_why_not(self, context: Context) -> str | None:
        from driftwatch.models.requests import begin_unless_in_the_way

        settings = self.monitor.retraining
        excused = self._never_retrains(context)
        if excused:
            return excused
        days, runs = settings.cooldown_days, self._runs_of(context)
        return begin_unless_in_the_way(self.store, self.date, days, runs)

    def _runs_of(self, context: Context) -> Callable[[str, bool], int]:
        def runs(run_id: str, unfinished: bool) -> int:
            states = ["queued", "running"] if unfinished else None
            return context["ti"].get_dr_count(self.monitor.retraining_dag_id, run_ids=[run_id], states=states)

        return runs

    def lineage(self) -> Lineage:
        from driftwatch.lineage import day

        return day.decided(self.of_day)


def _no_evidence(reason: str) -> WhyLabsAnalysis:
    from driftwatch.artifacts.accuracy import WhyLabsAnalysis

    return WhyLabsAnalysis(verdict="not_enough_evidence", reasons=(reason,), rows=())
