"""The annotation service of a monitor (the service by which people label its images), by its Airflow connection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from driftwatch_airflow.connections import access_of, tested

if TYPE_CHECKING:
    from driftwatch.artifacts.annotation import AnnotationPlan
    from driftwatch.config import MonitorConfig
    from driftwatch.labels.backends.base import LabelBackend


def label_backend(connection: str, name: str = "toloka") -> LabelBackend:
    """The backend of that name. Nothing is read or connected before one of its methods is called.

    :param connection: Airflow connection of its account.
    """
    from driftwatch.labels.backends.base import LabelSite, backend_of

    return backend_of(name, LabelSite(connection, partial(access_of, needed_by="labels.connection")))


def tested_connection(name: str, connection: str) -> tuple[bool, str]:
    """See `connections.tested`. Never shows the secret."""
    return tested(lambda: label_backend(connection, name).account())


def label_backend_of(monitor: MonitorConfig, plan: AnnotationPlan | None = None) -> LabelBackend:
    """The backend by which people label the monitor's images. Raises NeedsAttention where the day's `plan` was made for another one."""
    from driftwatch.errors import NeedsAttention

    labels = monitor.labels
    if labels.people is None or (plan is not None and plan.backend != labels.people):
        made = f"the plan of {plan.day} was made for" if plan else "this step needs people who label, such as"
        raise NeedsAttention(
            f"{made} {plan.backend if plan else 'toloka'}, and the labels of {monitor.name} come from {labels.people or labels.backend} now: "
            "put labels.backend and its connection back until that day is done"
        )
    return label_backend(labels.connection_id, labels.people)
