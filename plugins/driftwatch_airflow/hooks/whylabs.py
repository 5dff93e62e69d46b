"""WhyLabs, by an Airflow connection of type `whylabs`."""

from __future__ import annotations

from datetime import date, datetime, time, timezone
from functools import cached_property
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook

from driftwatch_airflow.connections import access_of, tested

if TYPE_CHECKING:
    from driftwatch.credentials import Access
    from driftwatch.publish.whylabs.api import WhyLabsApi

# By the address of an API: where people look at its profiles.
HUBS = {"https://api.whylabsapp.com": "https://hub.whylabsapp.com"}


class WhyLabsHook(BaseHook):
    """Makes the API client from a connection. Nothing is read or connected before `get_conn`.

    The connection's host is the API's address (empty: https://api.whylabsapp.com), its password the API key. Its extras are `org_id`
    (not needed if the key ends in `:org-id`), `timeout` (seconds for each request), `retries`, and `hub_url` (where people look at
    profiles).

    :param whylabs_conn_id: the Airflow connection
    :param dataset: WhyLabs' id of the dataset (model), if the calls need one
    """

    conn_name_attr = "whylabs_conn_id"
    default_conn_name = "whylabs_default"
    conn_type = "whylabs"
    hook_name = "WhyLabs"

    def __init__(self, whylabs_conn_id: str = default_conn_name, dataset: str | None = None) -> None:
        super().__init__()
        self.whylabs_conn_id = whylabs_conn_id
        self.dataset = dataset

    @cached_property
    def _api(self) -> WhyLabsApi:
        from driftwatch.publish.whylabs.api import whylabs_api

        return whylabs_api(self._access, self.dataset)

    @cached_property
    def _access(self) -> Access:
        return access_of(self.whylabs_conn_id, "API key", "publish.connection")

    def get_conn(self) -> WhyLabsApi:
        """The client. Raises NeedsAttention, which names the connection, if a field of it cannot be used."""
        return self._api

    def profile_url(self, day: date) -> str | None:
        """The address where a person sees the profile of `day`. None if the API is not WhyLabs' own and its connection has no `hub_url`."""
        api = self.get_conn()
        hub = self._access.extras.get("hub_url") or HUBS.get(api.endpoint)
        if not hub:
            return None
        moment = int(datetime.combine(day, time.min, timezone.utc).timestamp() * 1000)
        return (
            f"{hub.rstrip('/')}/resources/{api.need_dataset()}/profiles?profile={moment}&targetOrgId={api.organisation}"
        )

    def test_connection(self) -> tuple[bool, str]:
        """Reads the dataset, or the organisation's datasets. Never shows the key."""
        return tested(lambda: self.get_conn().check())
