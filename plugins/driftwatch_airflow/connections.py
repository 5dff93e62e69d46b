"""Reads the address and the secret of an Airflow connection. Each error names the connection and the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from driftwatch.credentials import Access


def connection_of(conn_id: str, needed_by: str) -> Connection:
    """The connection. Raises NeedsAttention if there is none. `needed_by`: the setting that names it."""
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
    """The address `scheme://host[:port]`, or `default` if the connection names no host. A connection that was given as a URI has scheme,
    host and port in three fields."""
    from driftwatch.credentials import usable_address

    host = (connection.host or "").strip()
    if host and "://" not in host:
        port = f":{connection.port}" if connection.port else ""
        host = f"{connection.schema or scheme}://{host}{port}"
    return usable_address(host or default, f"the address (host) in the Airflow connection {connection.conn_id}")


def secret_of(connection: Connection, what: str) -> str:
    """The password without the blanks and line ends that were pasted around it. The task's logs hide it, with and without them."""
    from airflow.sdk.log import mask_secret

    from driftwatch.credentials import usable_secret

    secret = usable_secret(connection.password, f"the password ({what}) of the Airflow connection {connection.conn_id}")
    mask_secret(secret)
    return secret


def access_of(conn_id: str, secret: str, needed_by: str) -> Access:
    """Address and secret of the service that a connection is for. `secret`: what its password is, in words, such as `API key`.
    `needed_by`: the setting that names the connection."""
    from driftwatch.credentials import Access

    connection = connection_of(conn_id, needed_by)
    address = address_of(connection, "") if (connection.host or "").strip() else ""
    return Access(
        f"the Airflow connection {conn_id}", address, secret_of(connection, secret), dict(connection.extra_dejson)
    )


def server_of(conn_id: str, needed_by: str) -> Access:
    """How a team's own server is reached, by a connection of type http as Airflow's HTTP hook takes it: plain HTTP unless it says
    https. `needed_by`: the setting that names it.

    A login and a password are sent as Basic, a password alone as a bearer token, and neither to a server that asks for none.
    """
    from driftwatch.credentials import Access

    connection = connection_of(conn_id, needed_by)
    scheme = connection.conn_type if connection.conn_type in ("http", "https") else "https"
    address = address_of(connection, "", scheme)
    secret = secret_of(connection, "token") if (connection.password or "").strip() else ""
    login = (connection.login or "").strip()
    return Access(f"the Airflow connection {conn_id}", address, secret, dict(connection.extra_dejson), login)


def tested(ask: Callable[[], str]) -> tuple[bool, str]:
    """For the Test button and `airflow connections test` of a hook: whether `ask` succeeds, and what the service says of the account."""
    try:
        return True, ask()
    except Exception as error:  # the person who asked wants to see whatever is wrong
        return False, f"{type(error).__name__}: {error}"
