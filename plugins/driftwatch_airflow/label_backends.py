"""The annotation service of a monitor (the service by which people label its images), by its Airflow connection."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from driftwatch_airflow.connections import access_of

if TYPE_CHECKING:
    from driftwatch.labels.backends.base import LabelBackend


def label_backend(connection: str, name: str = "toloka") -> LabelBackend:
    """The backend of that name. Nothing is read or connected before one of its methods is called.

    :param connection: Airflow connection of its account.
    """
    from driftwatch.labels.backends.base import LabelSite, backend_of

    return backend_of(name, LabelSite(connection, partial(access_of, needed_by="annotation.connection")))
