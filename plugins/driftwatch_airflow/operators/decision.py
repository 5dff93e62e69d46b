"""After the verdict: start a retraining, or not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.branch import BranchMixIn

from driftwatch_airflow.monitor import DayOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

ALERT_RUN_PREFIX = "perf_alert__"


class CheckPerformanceOperator(DayOperator, BranchMixIn):
    """Chooses `on_alert` where the verdict is alert and a retraining is allowed, `on_ok` where it is ok, else neither.

    An alert starts nothing on a backfilled day (`retraining.retrain_on_backfill`), on a dry run, or within
    `retraining.cooldown_days` of data after another alert's retraining; the log says which. "Not enough evidence" is not ok.
    """

    template_fields: Sequence[str] = ("day",)
    ui_color = "#f9f3e3"

    def __init__(self, *, on_alert: str, on_ok: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.on_alert = on_alert
        self.on_ok = on_ok

    def execute(self, context: Context) -> str | None:
        verdict = self.storage.read_json(self.keys.performance)["verdict"]
        chosen = self.on_ok if verdict == "ok" else None
        if verdict == "alert":
            held = self._held_back(context)
            if held:
                self.log.warning("The alert of %s starts no retraining: %s", self.day, held)
            else:
                chosen = self.on_alert
        elif verdict != "ok":
            self.log.warning("Verdict %s: neither ok nor an alert", verdict)
        self.do_branch(context, chosen)
        return chosen

    def _held_back(self, context: Context) -> str | None:
        from driftwatch.performance.history import days_of_data_since

        settings = self.monitor.retraining
        if context["params"].get("dry_run"):
            return "this is a dry run"
        if context["dag_run"].run_type == "backfill" and not settings.retrain_on_backfill:
            return "this run is a backfill and retraining.retrain_on_backfill is off"
        for name in self.storage.folders(self.layout.retrainings):
            if name.startswith(ALERT_RUN_PREFIX):
                other = date.fromisoformat(name.removeprefix(ALERT_RUN_PREFIX))
                if other >= self.date:
                    continue
                if days_of_data_since(self.storage, self.layout, other, self.date) <= settings.cooldown_days:
                    return (
                        f"the alert of {other} started one within retraining.cooldown_days ({settings.cooldown_days})"
                    )
        return None
