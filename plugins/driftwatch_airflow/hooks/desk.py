"""DeskHook: a client of Driftwatch's own labelling desk from an Airflow connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from driftwatch_airflow.connections import access_of
from driftwatch_airflow.label_backends import tested_connection

if TYPE_CHECKING:
    from driftwatch.labels.backends.desk.client import DeskClient


class DeskHook(BaseHook):
    """The desk's API through the connection's address and token. Nothing is sent before a method is called.

    :param desk_conn_id: Airflow connection of type `driftwatch_desk`.
    """

    conn_name_attr = "desk_conn_id"
    default_conn_name = "driftwatch_desk_default"
    conn_type = "driftwatch_desk"
    hook_name = "Driftwatch desk"

    def __init__(self, desk_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.desk_conn_id = desk_conn_id

    def get_conn(self) -> DeskClient:
        """A client with the connection's time limits and retries. Raises NeedsAttention, which names a field that cannot be used."""
        from driftwatch.labels.backends.desk.backend import CREDENTIAL
        from driftwatch.labels.backends.desk.client import DeskClient

        return DeskClient(access_of(self.desk_conn_id, CREDENTIAL, "labels.connection"))

    def test_connection(self) -> tuple[bool, str]:
        """Asks the desk whose token this is. Never shows the token."""
        return tested_connection("desk", self.desk_conn_id)
