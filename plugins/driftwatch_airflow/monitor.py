"""What every task of a monitor shares: its day, its storage, and which errors are worth a retry.

An operator reaches what is stored through `store`, `of_day`, `monitor_keys` and `keys`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator, ExceptionRetryPolicy
from airflow.sdk.definitions.retry_policy import RetryAction, RetryRule

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from driftwatch_airflow.buttons import MonitorPageLink
from driftwatch_airflow.lineage import collected, facets_of
from driftwatch_airflow.measures import tell_step
from driftwatch_airflow.stores import store_of
from driftwatch_airflow.task_docs import task_doc

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

    from driftwatch.lineage.datasets import Lineage

log = logging.getLogger(__name__)

# Rendered in each task; the macros of the monitoring DAG are those of `run_days`.
DAY_TEMPLATE = "{{ run_day(dag_run, params) }}"

# Airflow's list of a run's task instances shows it in the column "Map Index", of tasks that are not mapped too. A task says it by `say_verdict`.
VERDICT = "{{ verdict | default('') }}"

RETRY_POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception="driftwatch.errors.NeedsAttention",
            action=RetryAction.FAIL,
            reason="Repeating cannot help: the message says what to change first",
        )
    ]
)


def owner_links(monitor: MonitorConfig) -> dict[str, str]:
    """The address behind the owner's name in the UI. None without `owner_link`."""
    return {monitor.owner: monitor.owner_link} if monitor.owner_link else {}


def who_started(context: Context) -> str:
    """The person who started the run; the run where Airflow does not say."""
    user = getattr(context.get("dag_run"), "triggering_user_name", None)
    return user or f"run {context['run_id']}"


def task_defaults(monitor: MonitorConfig) -> dict[str, Any]:
    """What every task of a monitor's DAGs has, as Airflow's `default_args`. The retries go on for 60 to 74 minutes, so that no day fails
    because of an outage of an hour."""
    return {
        "owner": monitor.owner,
        "retries": 7,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
    }


def say_how_to_go_on(context: Context) -> None:
    """Says in the log of a task that failed for good how to go on. The cause was an outage longer than its retries, or must be repaired."""
    log.error(
        "%s failed for good, in try %s. When the cause is gone, clear this task and the tasks after it. The run goes on from here, and "
        "nothing is paid, created or published twice. An open pool stays open until it expires, and is found again.",
        context["ti"].task_id,
        context["ti"].try_number,
    )


def step_ended(context: Context) -> None:
    """What each step does when it has ended well. Airflow leaves `post_execute` out where a step has others skipped, as a choice does."""
    cast("MonitorOperator", context["task"]).ended()


def say_verdict(context: Context, said: str) -> None:
    """What the task's line in Airflow's lists shows as its `map_index_template` VERDICT, when it has ended."""
    from driftwatch.view.words import one_line

    cast("dict[str, object]", context)["verdict"] = one_line(said, 240)  # Airflow's column has 250 characters


class MonitorOperator(BaseOperator):
    """A step of one monitor.

    :param monitor: the validated monitor file.
    """

    ui_color = "#e8f1f5"
    operator_extra_links: Any = (MonitorPageLink(),)

    def __init__(self, *, monitor: MonitorConfig, **kwargs: Any) -> None:
        super().__init__(**{"retry_policy": RETRY_POLICY, "doc_md": task_doc(kwargs["task_id"]), **kwargs})
        self.monitor = monitor
        self._lineage: Lineage | None = None
        self.on_success_callback = [*self.on_success_callback, step_ended]
        self.on_failure_callback = [*self.on_failure_callback, say_how_to_go_on]

    def pre_execute(self, context: Context) -> None:
        super().pre_execute(context)
        self._began = time.monotonic()

    def ended(self) -> None:
        """Tells Airflow's metrics what the step did; of a step that waited, since its return. Keeps what it read and wrote for OpenLineage."""
        tell_step(self.monitor.name, self.task_id, time.monotonic() - self._began, self._written_day)
        self._lineage = collected(self.task_id, self.lineage)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """What Airflow's OpenLineage provider asks of a task that has ended; nothing for one that was skipped or failed."""
        return facets_of(self._lineage)

    def lineage(self) -> Lineage:
        """What the step read and wrote, asked when it has ended; by default nothing."""
        from driftwatch.lineage.datasets import Lineage

        return Lineage()

    def _written_day(self) -> DayStore | None:
        """The day whose artifacts the step wrote; None for a step of no day."""
        return None

    @property
    def store(self) -> MonitorStore:
        return store_of(self.monitor)

    @property
    def storage(self) -> Storage:
        return self.store.storage

    @property
    def monitor_keys(self) -> MonitorKeys:
        return MonitorKeys(self.monitor.name)


class DayOperator(MonitorOperator):
    """A step of one monitor's day.

    :param monitor: the validated monitor file.
    :param day: the day, YYYY-MM-DD; by default the run's own (see `run_days`).
    """

    template_fields: Sequence[str] = ("day",)

    def __init__(self, *, monitor: MonitorConfig, day: str = DAY_TEMPLATE, **kwargs: Any) -> None:
        super().__init__(monitor=monitor, **kwargs)
        self.day = day

    @property
    def date(self) -> date:
        return date.fromisoformat(self.day)

    def _written_day(self) -> DayStore | None:
        return self.of_day

    @property
    def of_day(self) -> DayStore:
        return self.store.day(self.date)

    @property
    def keys(self) -> DayKeys:
        return self.monitor_keys.day(self.date)

    @property
    def report_link(self) -> dict[str, str]:
        """The day's report in the storage, for an alert."""
        return {"Report": self.storage.url(self.keys.report)}
