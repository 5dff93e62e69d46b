"""Buttons on a task's page that lead to the outside: its Toloka pool, what its labels cost, the day's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.types import TaskInstanceKey


class StoredLink(BaseOperatorLink):
    """Shows the address that the task stored; no button before there is one."""

    def store(self, operator: Any, context: Context, address: str) -> None:
        """Shows `address` from now on, while the task still runs or waits as well."""
        setattr(operator, self._attribute, address)
        context["ti"].xcom_push(key=self.xcom_key, value=address)

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Asked by the task's process when it ends; the UI reads what `store` pushed."""
        return getattr(operator, self._attribute, "")

    @property
    def _attribute(self) -> str:
        """A task may have several of these links."""
        return f"outside_{type(self).__name__}"


class TolokaPoolLink(StoredLink):
    """The day's pool at Toloka."""

    name = "Toloka pool"


class LabelSpendLink(StoredLink):
    """What the day's labels have cost so far, and how far they are, on the day's page."""

    name = "Label spend so far"


class DayReportLink(StoredLink):
    """The day's report.html in storage."""

    name = "Day report"
