"""Toloka as a label backend."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.base import (
    AT_DAILY_LIMIT,
    AT_DEADLINE,
    TOLOKA,
    LabelBackend,
    LabelSite,
    Opening,
    Pool,
    PoolState,
)

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import QualityRules
    from driftwatch.credentials import Access
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

API = "https://toloka.dev"
# Where people look at what an API has.
PLATFORMS = {
    API: "https://platform.toloka.ai",
    "https://sandbox.toloka.dev": "https://sandbox.toloka.yandex.com",
}
CREDENTIAL = "OAuth token or API key"  # what the connection's password is
_TOO_SHORT = (
    "raise reward_per_page or expire_hours for the next days, and for this one put the pool's end off in Toloka, by at most the four "
    "hours for which its image links outlive it"
)
_REMEDIES = {
    "NOT_ENOUGH_BALANCE": "top up the Toloka account",
    "EXPIRED": _TOO_SHORT,
    AT_DEADLINE: _TOO_SHORT,
    "MANUAL": "open the pool in Toloka again if it was closed by mistake",
    "BLOCKED": "ask Toloka's support why the account is blocked",
    AT_DAILY_LIMIT: "raise that limit and open the pool in Toloka again",
}


def toloka_client(access: Access) -> DriftwatchTolokaClient:
    """A client with its own time limits and retries; raises NeedsAttention naming the field of the connection that cannot be used."""
    from driftwatch.http import limits_of
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

    limits = limits_of(access, timeout=20)
    return DriftwatchTolokaClient(access.secret, url=access.address or API, limits=limits, connection=access.name)


class TolokaBackend(LabelBackend):
    """One Toloka account. `access` reads the connection that leads to it."""

    name = TOLOKA
    title = "Toloka"

    def __init__(self, access: Callable[[], Access]) -> None:
        self._read_access = access

    @cached_property
    def _access(self) -> Access:
        return self._read_access()

    @cached_property
    def client(self) -> DriftwatchTolokaClient:
        return toloka_client(self._access)

    def account(self) -> str:
        requester = self.client.get_requester()
        return f"Toloka account {requester.id} at {self._access.address or API}, balance {requester.balance} USD"

    def find_or_create(self, opening: Opening) -> AnnotationPlan:
        from driftwatch.labels.backends.toloka.pool import Campaign

        self.client.before_change = opening.before_change
        try:
            return Campaign(self.client, opening).carry_out()
        finally:
            self.client.before_change = None

    def look(self, pool: Pool) -> PoolState:
        from driftwatch.labels.backends.toloka.pool import service_end

        found = self.client.get_pool(pool.pool_id)
        reason = found.last_close_reason.value if found.last_close_reason else None
        return PoolState(found.is_open(), service_end(found), reason)

    def progress(self, pool: Pool) -> AnnotationProgress:
        from driftwatch.labels.backends.toloka.collect import progress

        return progress(self.client, pool)

    def collect(self, pool: Pool) -> pd.DataFrame:
        from driftwatch.labels.backends.toloka.collect import collect_assignments

        return collect_assignments(self.client, pool.pool_id)

    def settle(self, pool: Pool, assignments: pd.DataFrame, rules: QualityRules) -> pd.DataFrame:
        from driftwatch.labels.backends.toloka.acceptance import settle

        return self.collect(pool) if settle(self.client, pool.pool_id, assignments, rules) else assignments

    def close(self, pool: Pool) -> None:
        self.client.close_pool_async(pool.pool_id)

    def page(self, plan: AnnotationPlan) -> str:
        address = self._access.address or API
        platform = self._access.extras.get("platform_url") or PLATFORMS.get(address, address)
        return f"{platform.rstrip('/')}/requester/project/{plan.project_id}/pool/{plan.pool_id}"

    def refusal(self, error: Exception) -> NeedsAttention | None:
        from driftwatch.labels.backends.toloka.client import refusal

        return refusal(error)

    def remedy(self, reason: str) -> str:
        return _REMEDIES.get(reason, "see the pool in Toloka")


def toloka_backend(site: LabelSite) -> TolokaBackend:
    """The account that a connection leads to."""
    return TolokaBackend(lambda: site.access(site.connection, CREDENTIAL))
