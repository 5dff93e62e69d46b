"""Where a monitor keeps its things: the only place that opens a storage by an Airflow connection, for tasks, pages and tools alike."""

from __future__ import annotations

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage, open_storage
from driftwatch_airflow.connections import connection_of


def store_of(monitor: MonitorConfig) -> MonitorStore:
    """The monitor's storage, keys and file."""
    return MonitorStore(storage_of(monitor), monitor)


def storage_of(monitor: MonitorConfig) -> Storage:
    """The monitor's storage; on S3 with the credentials of its Airflow connection, if it names one."""
    return storage_at(monitor.storage.uri, monitor.storage.connection)


def storage_at(uri: str, connection: str | None) -> Storage:
    """A storage by its address and, for S3, the Airflow connection that may read and write there."""
    if not connection:
        return open_storage(uri)
    from airflow.providers.amazon.aws.fs.s3 import get_fs

    connection_of(connection, "storage.connection")  # get_fs takes the machine's own credentials where there is none
    return open_storage(uri, get_fs(connection, {"use_listings_cache": False}))  # type: ignore[dict-item]
