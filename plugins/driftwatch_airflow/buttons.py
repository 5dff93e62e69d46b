"""Buttons on a task's page: the monitor's page, the page of the day's labelling, what the labels cost, the day's report, its profile at WhyLabs, and
the form of a correction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

from driftwatch_airflow.paths import pages_path

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.types import TaskInstanceKey


class MonitorPageLink(BaseOperatorLink):
    """The page of the run's day. For a retraining run: the page of the models. The page itself finds the day."""

    name = "Monitor page"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        return f"{pages_path()}/dag/{quote(ti_key.dag_id, safe='')}/run/{quote(ti_key.run_id, safe='')}"


class StoredLink(BaseOperatorLink):
    """Shows the address that the task stored. Before that there is no button."""

    def store(self, operator: Any, context: Context, address: str) -> None:
        """Shows `address` from now on, also while the task still runs or waits."""
        setattr(operator, self._attribute, address)
        context["ti"].xcom_push(key=self.xcom_key, value=address)

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Airflow calls it in the task's process when the task ends. The UI reads what `store` pushed."""
        return getattr(operator, self._attribute, "")

    @property
    def _attribute(self) -> str:
        """A task may have several of these links."""
        return f"outside_{type(self).__name__}"


class LabellingLink(StoredLink):
    """The day's pool at the service by which people label."""

    name = "Labelling"


class LabelSpendLink(StoredLink):
    """The part of the day's page that shows what the labels have cost so far, and how many there are."""

    name = "Label spend so far"


class DayReportLink(StoredLink):
    """The day's report.html. The monitor pages serve it, since a browser cannot open a file of the storage."""

    name = "Day report"


class WhyLabsProfileLink(StoredLink):
    """The day's profile at WhyLabs."""

    name = "WhyLabs profile"


class CorrectionLink(StoredLink):
    """The filled-in form that publishes a correction of the day. Shown only if a correction is needed."""

    name = "Publish a correction"
