"""
### What did not happen

Looks at all monitors each hour, and tells what their own runs cannot tell: days without a verdict after their deadline, also those that
never began; paused DAGs; refused monitor files; a champion that is missing; spend near its limit; a pool that nobody answers; a storage
that cannot be written; an old reference. It tells each once when it begins, again each week, and when it is over, by the notifiers of the
monitor file.

The first run of each UTC day also says what is over by `storage.keep`, and removes it where the monitor file says so.

When it has looked, it calls the address in the Airflow Variable `driftwatch_watch_ping_url`. A service that waits for that call notices when Airflow
itself is down.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.sdk import DAG, CronTriggerTimetable

from driftwatch_airflow.operators.watch import (
    KeepFilesOperator,
    LookAtMonitorsOperator,
    PingOperator,
    TellFindingsOperator,
)
from driftwatch_airflow.paths import WATCH_DAG_ID

with DAG(
    dag_id=WATCH_DAG_ID,
    description="Tells what did not happen, for all monitors",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,  # whoever forgets to unpause it would not be told
    tags=["driftwatch", "watch"],
    default_args={"execution_timeout": timedelta(minutes=50)},
) as dag:
    look_at_monitors = LookAtMonitorsOperator(task_id="look_at_monitors")
    tell_findings = TellFindingsOperator(task_id="tell_findings", looked=look_at_monitors.output)
    # What it does not get through waits for the next day, and keeps no look waiting.
    KeepFilesOperator(task_id="keep_files", retries=0, execution_timeout=timedelta(minutes=20))
    ping = PingOperator(task_id="ping")

    look_at_monitors >> ping
