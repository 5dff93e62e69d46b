"""TolokaHook: a Toloka client from an Airflow connection."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from driftwatch_airflow.connections import access_of
from driftwatch_airflow.label_backends import tested_connection

if TYPE_CHECKING:
    from driftwatch.credentials import Access
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient


class TolokaHook(BaseHook):
    """Toloka's API through the connection's address and token. Nothing is sent before a method is called.

    :param toloka_conn_id: Airflow connection of type `toloka`.
    """

    conn_name_attr = "toloka_conn_id"
    default_conn_name = "toloka_default"
    conn_type = "toloka"
    hook_name = "Toloka"

    def __init__(self, toloka_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.toloka_conn_id = toloka_conn_id

    @cached_property
    def _access(self) -> Access:
        from driftwatch.labels.backends.toloka.backend import CREDENTIAL

        return access_of(self.toloka_conn_id, CREDENTIAL, "labels.connection")

    @property
    def url(self) -> str:
        """The API's address; `https://toloka.dev` if the connection has none."""
        from driftwatch.labels.backends.toloka.backend import API

        return self._access.address or API

    def get_conn(self) -> DriftwatchTolokaClient:
        """A client with the connection's time limits and retries. Raises NeedsAttention, which names a field that cannot be used."""
        from driftwatch.labels.backends.toloka.backend import toloka_client

        return toloka_client(self._access)

    def test_connection(self) -> tuple[bool, str]:
        """Asks Toloka whose account it is. Never shows the token."""
        return tested_connection("toloka", self.toloka_conn_id)
