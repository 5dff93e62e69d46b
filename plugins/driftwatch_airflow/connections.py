"""What is read from an Airflow connection: its address, its secret, its numbers; each fault names the connection and the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from driftwatch.credentials import Access


def connection_of(conn_id: str, needed_by: str) -> Connection:
    """The connection; raises NeedsAttention where there is none. `needed_by`: the setting that names it."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    from driftwatch.errors import NeedsAttention

    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException as error:
        raise NeedsAttention(
            f"there is no Airflow connection {conn_id!r}, which {needed_by} names: make it under Admin > Connections, set "
            f"AIRFLOW_CONN_{conn_id.upper()}, or name another one"
        ) from error


def address_of(connection: Connection, default: str, scheme: str = "https") -> str:
    """The address `scheme://host[:port]`, `default` where the connection names no host. An AIRFLOW_CONN_ URI keeps the parts apart."""
    from driftwatch.credentials import usable_address

    host = (connection.host or "").strip()
    if host and "://" not in host:
        port = f":{connection.port}" if connection.port else ""
        host = f"{connection.schema or scheme}://{host}{port}"
    return usable_address(host or default, f"the address (host) in the Airflow connection {connection.conn_id}")


def secret_of(connection: Connection, what: str) -> str:
    """The password as it can be sent. The task's logs hide it with and without what was pasted around it."""
    from airflow.sdk.log import mask_secret

    from driftwatch.credentials import usable_secret

    secret = usable_secret(connection.password, f"the password ({what}) of the Airflow connection {connection.conn_id}")
    mask_secret(secret)
    return secret


def access_of(conn_id: str, secret: str, needed_by: str) -> Access:
    """How the service of a connection is reached. `secret`: what its password is; `needed_by`: the setting that names it."""
    from driftwatch.credentials import Access

    connection = connection_of(conn_id, needed_by)
    address = address_of(connection, "") if (connection.host or "").strip() else ""
    return Access(
        f"the Airflow connection {conn_id}", address, secret_of(connection, secret), dict(connection.extra_dejson)
    )
