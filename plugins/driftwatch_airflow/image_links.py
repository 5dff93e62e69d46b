"""Who signs the links by which annotators and approvers get an image. A signed link works for a limited time, and only as it was made.
The Airflow connection that `labels.image_links` names says who signs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.storage import open_storage
from driftwatch_airflow.connections import address_of, connection_of, secret_of
from driftwatch_airflow.stores import storage_at

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.labels.links import ImageServer, LinkSigners
    from driftwatch.storage import Storage


def link_signers(monitor: MonitorConfig) -> LinkSigners:
    """Who makes the monitor's image links."""
    from driftwatch.labels.links import LinkSigners

    return LinkSigners(image_server(monitor), link_signer(monitor))


def image_server(monitor: MonitorConfig) -> ImageServer | None:
    """The image server of a file:// storage, from its Airflow connection. None on an object store, which signs links itself."""
    from driftwatch.labels.links import ImageServer

    if open_storage(monitor.storage.uri).presigns:
        return None
    connection = connection_of(monitor.labels.image_links, "labels.image_links")
    return ImageServer(address_of(connection, "", scheme="http"), secret_of(connection, "secret of the image server"))


def link_signer(monitor: MonitorConfig) -> Storage | None:
    """The object store, opened with the login that signs image links. None if `labels.image_links` names no connection for it."""
    name = monitor.labels.image_links
    if (
        not open_storage(monitor.storage.uri).presigns
        or name == type(monitor.labels).model_fields["image_links"].default
    ):
        return None
    return storage_at(monitor.storage.uri, name, "labels.image_links")
