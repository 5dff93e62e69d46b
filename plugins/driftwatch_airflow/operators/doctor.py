"""The doctor as a task: only there it is sure that Airflow's connections, the machine and its rights are those of a day's steps."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.monitor import RETRY_POLICY
from driftwatch_airflow.task_docs import task_doc

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


log = logging.getLogger(__name__)


class ExamineMonitorOperator(BaseOperator):
    """Examines the monitor that the form names, logs the table, and fails where something is wrong. Returns how many checks found what."""

    ui_color = "#e8f1f5"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"retry_policy": RETRY_POLICY, "doc_md": task_doc(kwargs["task_id"]), **kwargs})

    def execute(self, context: Context) -> dict[str, int]:
        from driftwatch.config.loader import monitor_named
        from driftwatch.doctor.examine import examine
        from driftwatch.view.doctor import MARKS, line_of, summary, text_of
        from driftwatch_airflow.alerts import safe_to_tell
        from driftwatch_airflow.doctor import site_of

        monitor = monitor_named(str(context["params"]["monitor"] or ""))
        name = hashlib.sha256(context["run_id"].encode()).hexdigest()[:16]
        found = [*examine(site_of(monitor, name, dict(context)), bool(context["params"]["notify"]))]
        log.info("%s\n%s", monitor.name, safe_to_tell(text_of([line_of(finding) for finding in found])))
        wrong = [finding for finding in found if finding.state == "wrong"]
        if wrong:
            table = safe_to_tell(text_of([line_of(finding) for finding in wrong]))
            raise NeedsAttention(f"{monitor.name}: {summary(found)}\n{table}")
        return {state: sum(finding.state == state for finding in found) for state in MARKS}
