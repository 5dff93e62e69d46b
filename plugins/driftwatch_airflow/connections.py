"""What is read from an Airflow connection: its address, its secret, its numbers; each fault names the connection and the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from airflow.sdk import Connection


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


def number_of(connection: Connection, field: str, default: float, highest: float) -> float:
    """A number from 0 to `highest` of the connection's extras."""
    from driftwatch.errors import NeedsAttention

    given = connection.extra_dejson.get(field)
    if given is None or given == "":
        return default
    try:
        number = float(given)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= highest:
        raise NeedsAttention(
            f"the Airflow connection {connection.conn_id} has {field} {str(given)[:40]!r} in its extras: a number from 0 to "
            f"{highest:g} is allowed"
        )
    return number
