"""The day's report, written by the tasks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from driftwatch_airflow.paths import URL_PREFIX, web_address

if TYPE_CHECKING:
    from driftwatch.artifacts.store import DayStore

log = logging.getLogger(__name__)


def renew_report(day: DayStore) -> None:
    """Writes the day's report anew, from what is known by now. If Airflow knows its own address, the next steps link to the monitor pages. A day
    that was not taken in has no report."""
    from driftwatch.errors import MissingArtifact
    from driftwatch.view.report import write_report

    base = web_address()
    try:
        write_report(day, f"{base}{URL_PREFIX}" if base else "")
    except MissingArtifact as error:
        log.info("%s has no report: %s", day.date, error)


def renew_report_if_possible(day: DayStore) -> None:
    """The same for a step whose own work does not need the report: if it cannot be written, the log says why."""
    from driftwatch.errors import DamagedArtifact

    try:
        renew_report(day)
    except (DamagedArtifact, OSError) as error:
        log.warning("The report of %s is as it was: %s", day.date, error)
