"""
### What counts as usual

The drift tests compare each day with accepted states: the images that the model was made from, and days that somebody accepted. This DAG
changes them, by its form. A day's page in Driftwatch fills the form in. `driftwatch reference` does the same from the command line.

- **accept**: days like `days` are usual from now on. Days that were judged keep their verdict.
- **withdraw**: the accepted `state` is usual no more.
- **mute**: the feature or segment `name` raises no alarm up to the day `until`. It stays in the tables, with the reason.
- **unmute**: it alarms again.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from driftwatch.config import MonitorConfig
from driftwatch_airflow.monitor import owner_links, task_defaults
from driftwatch_airflow.operators.reference import ChangeReferenceOperator
from driftwatch_airflow.refused import dags_of_monitors


def reference_params() -> dict[str, Param]:
    """The trigger form."""
    return {
        "action": Param(
            "accept",
            enum=["accept", "withdraw", "mute", "unmute"],
            title="What to do",
            description="accept days as usual, withdraw an accepted state, mute a feature or a segment, or unmute it.",
        ),
        "reason": Param(
            type="string",
            minLength=1,
            maxLength=500,
            title="Reason",
            description="Why. It is kept, and the pages show it.",
        ),
        "days": Param(
            None,
            type=["null", "string"],
            maxLength=2000,
            title="Days to accept",
            description="A day, a range such as 2026-01-08..2026-01-10, or several of these with commas.",
            section="Accept or withdraw",
        ),
        "state": Param(
            None,
            type=["null", "string"],
            pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$",
            title="State",
            description="To withdraw: the state, as `driftwatch reference list` and a day's page name it. To accept: its name; empty for its days.",
            section="Accept or withdraw",
        ),
        "name": Param(
            None,
            type=["null", "string"],
            maxLength=300,
            title="Feature or segment",
            description="A feature's column, such as image.Sharpness.laplacian, or a segment, such as camera=door-17.",
            section="Mute or unmute",
        ),
        "since": Param(
            None,
            type=["null", "string"],
            format="date",
            title="From",
            description="The first day on which it is muted, or alarms again. Empty: the newest day that was run.",
            section="Mute or unmute",
        ),
        "until": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Until",
            description="The last day on which it is muted.",
            section="Mute or unmute",
        ),
    }


def reference_dag(monitor: MonitorConfig) -> DAG:
    """The DAG that changes what is usual for one monitor. Only a person starts it."""
    with DAG(
        dag_id=monitor.reference_dag_id,
        description=f"Says what counts as usual for {monitor.name}",
        doc_md=__doc__,
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=["driftwatch", "reference", monitor.name],
        owner_links=owner_links(monitor),
        params=reference_params(),
        default_args=task_defaults(monitor),
    ) as dag:
        ChangeReferenceOperator(task_id="change_reference", monitor=monitor)
    return dag


globals().update(dags_of_monitors(reference_dag, "reference", refused=False))
