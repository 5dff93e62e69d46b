"""LabelStudioHook: a Label Studio server from an Airflow connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from driftwatch_airflow.connections import access_of
from driftwatch_airflow.label_backends import tested_connection

if TYPE_CHECKING:
    from driftwatch.labels.backends.label_studio.client import LabelStudioApi


class LabelStudioHook(BaseHook):
    """Label Studio's API through the connection's address and token. Nothing is sent before a method is called.

    :param label_studio_conn_id: Airflow connection of type `label_studio`.
    """

    conn_name_attr = "label_studio_conn_id"
    default_conn_name = "label_studio_default"
    conn_type = "label_studio"
    hook_name = "Label Studio"

    def __init__(self, label_studio_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label_studio_conn_id = label_studio_conn_id

    def get_conn(self) -> LabelStudioApi:
        """A client with the connection's time limits and retries. Raises NeedsAttention, which names a field that cannot be used."""
        from driftwatch.labels.backends.label_studio.backend import CREDENTIAL
        from driftwatch.labels.backends.label_studio.client import LabelStudioApi

        return LabelStudioApi(access_of(self.label_studio_conn_id, CREDENTIAL, "labels.connection"))

    def test_connection(self) -> tuple[bool, str]:
        """Asks Label Studio whose token it is, which version it is, and which kinds of token it takes. Never shows the token."""
        return tested_connection("label_studio", self.label_studio_conn_id)
