"""TolokaHook: a Toloka client from an Airflow connection."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from driftwatch_airflow.connections import access_of

if TYPE_CHECKING:
    from driftwatch.credentials import Access
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

PLATFORMS = {
    "https://toloka.dev": "https://platform.toloka.ai",
    "https://sandbox.toloka.dev": "https://sandbox.toloka.yandex.com",
}


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
        return access_of(self.toloka_conn_id, "OAuth token or API key", "annotation.connection")

    @property
    def url(self) -> str:
        """The API's address, `https://toloka.dev` where the connection has none."""
        return self._access.address or "https://toloka.dev"

    def get_conn(self) -> DriftwatchTolokaClient:
        """A client with its own timeouts and retries; raises NeedsAttention naming the field that cannot be used."""
        from driftwatch.http import limits_of
        from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

        access = self._access
        return DriftwatchTolokaClient(
            access.secret, url=self.url, limits=limits_of(access, timeout=20), connection=access.name
        )

    def pool_url(self, project_id: str, pool_id: str) -> str:
        """Where a person sees the pool."""
        platform = self._access.extras.get("platform_url") or PLATFORMS.get(self.url, self.url)
        return f"{platform.rstrip('/')}/requester/project/{project_id}/pool/{pool_id}"

    def test_connection(self) -> tuple[bool, str]:
        """Asks Toloka who the account is; never shows the token."""
        try:
            requester = self.get_conn().get_requester()
        except Exception as error:
            return False, f"{type(error).__name__}: {error}"
        return True, f"Toloka account {requester.id} at {self.url}, balance {requester.balance} USD"
