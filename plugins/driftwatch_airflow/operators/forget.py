"""Images are forgotten, by a form: taken out of everything that is stored of the monitor, and out of the label service's tasks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.sdk.timezone import utcnow

from driftwatch.errors import NeedsAttention
from driftwatch_airflow.decisions import log_decision
from driftwatch_airflow.label_backends import label_backend
from driftwatch_airflow.monitor import MonitorOperator, who_started
from driftwatch_airflow.reports import renew_report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk.definitions.context import Context

    from driftwatch.artifacts.annotation import AnnotationPlan

log = logging.getLogger(__name__)


class ForgetImagesOperator(MonitorOperator):
    """Says what forgetting the form's images would do, or does it. A repeated task finishes what the one before began."""

    ui_color = "#f9e3e3"

    def execute(self, context: Context) -> str:
        form = context["params"]
        wanted = [name.strip() for name in (form.get("images") or "").replace(",", "\n").splitlines() if name.strip()]
        if not form["apply"]:
            return self._plan(wanted)
        from driftwatch.retention.forget import Asked, Outside, forget
        from driftwatch.view.forgotten import receipt_lines

        asked = Asked(who_started(context), utcnow())
        receipt = forget(self.store, wanted, asked, Outside(self._blank, renew_report))
        log_decision(
            log,
            "images_forgotten",
            "\n".join(receipt_lines(receipt)),
            monitor=self.monitor.name,
            receipt=receipt.receipt,
            images=receipt.images,
            originals_left=receipt.originals_left,
            models=list(receipt.models),
            near_duplicates=receipt.near_duplicates,
            by=receipt.by,
        )
        return f"receipt {receipt.receipt}"

    def _plan(self, wanted: list[str]) -> str:
        from driftwatch.retention.search import forget_plan
        from driftwatch.view.forgotten import planned_lines

        if not wanted:
            raise NeedsAttention(
                "the form names no image: trigger the DAG again with the sha256 or the key of each, one a line"
            )
        for line in planned_lines(forget_plan(self.store, wanted)):
            log.info("%s", line)
        return "nothing was changed: trigger the DAG again with `apply`"

    def _blank(self, plan: AnnotationPlan, tokens: Mapping[str, str]) -> int | None:
        """Asks the plan's service. One that the monitor file names no more cannot be asked."""
        labels = self.monitor.labels
        if plan.pool_id is None:
            return 0
        if plan.backend != labels.people:
            return None
        return label_backend(labels.connection_id, plan.backend).blank(plan.pool_id, tokens)
